import { type Ask, ask } from "./registry.ts";

/*
 * What destroys something says first what it would do, and is carried out as it was shown.
 */

/** The answer of an operation's preview, and the tag of it. */
export async function askPreview(path: string, options: Ask): Promise<{ answer: Response; etag: string }> {
  const answer = await ask(`${path}${path.includes("?") ? "&" : "?"}preview=1`, options);
  return { answer, etag: answer.headers.get("ETag") ?? "" };
}

/** The tag of what one's preview shows; where that is refused, one of nothing, so that the act itself is put to the test. */
export async function tagOfPreview(path: string, options: Ask): Promise<string> {
  const { answer, etag } = await askPreview(path, options);
  await answer.body?.cancel();
  return etag === "" ? '"0"' : etag;
}

/** Carries out what its preview shows just now. Where that is refused, the refusal is the answer. */
export async function askAsShown(path: string, options: Ask): Promise<Response> {
  const { answer, etag } = await askPreview(path, options);
  if (!answer.ok) return answer;
  return await ask(path, { ...options, headers: { ...options.headers, "If-Match": etag } });
}
