/** An image that may hold anybody's words: whoever opens it by itself gets nothing that runs or loads. */
export function svgResponse(svg: string, headers: Record<string, string>): Response {
  return new Response(svg, {
    headers: {
      ...headers,
      "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
      "Content-Type": "image/svg+xml; charset=utf-8",
    },
  });
}
