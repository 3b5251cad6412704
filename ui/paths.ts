/** The addresses of the pages. Apart from routes.ts, because the pages that stand there link to one another. */
export const paths = { home: "/", tokens: "/auth/tokens" } as const;
