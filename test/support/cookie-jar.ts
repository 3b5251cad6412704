export interface Browser {
  /** One request. What the server says of cookies is kept; redirects are not followed. */
  ask: (url: string, options?: BrowserRequest) => Promise<Response>;
  cookie: (url: string, name: string) => string | null;
  setCookie: (url: string, name: string, value: string) => void;
}

interface BrowserRequest {
  method?: string;
  form?: Record<string, string>;
  json?: unknown;
}

/** A browser without its windows: it keeps cookies for each host, and goes where it is told, one step at a time. */
export function newBrowser(): Browser {
  // By host with its port: two servers on loopback are two sites here.
  const jars = new Map<string, Map<string, string>>();
  const jarOf = (url: string) => {
    const { host } = new URL(url);
    const jar = jars.get(host) ?? new Map<string, string>();
    jars.set(host, jar);
    return jar;
  };
  return {
    ask: async (url, { form, json, ...options } = {}) => {
      const jar = jarOf(url);
      const headers = new Headers({ Accept: "text/html", "User-Agent": "test browser" });
      if (jar.size > 0) headers.set("Cookie", [...jar].map(([name, value]) => `${name}=${value}`).join("; "));
      const body =
        form === undefined ? (json === undefined ? null : JSON.stringify(json)) : `${new URLSearchParams(form)}`;
      if (form !== undefined) headers.set("Content-Type", "application/x-www-form-urlencoded");
      const method = options.method ?? (body === null ? "GET" : "POST");
      if (method !== "GET") headers.set("Sec-Fetch-Site", "same-origin");
      const response = await fetch(url, { method, headers, body, redirect: "manual" });
      for (const line of response.headers.getSetCookie()) {
        const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (value === "" || /max-age=0|expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(name);
        else jar.set(name, value);
      }
      return response;
    },
    cookie: (url, name) => jarOf(url).get(name) ?? null,
    setCookie: (url, name, value) => {
      jarOf(url).set(name, value);
    },
  };
}
