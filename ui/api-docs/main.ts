import "./styles.css";
import "rapidoc";

/*
 * The API's document, to read and to try. "Try" goes to this very registry: with the cookie of whoever is signed in,
 * or with a token that is typed in and forgotten with the page.
 */
const attributes: Readonly<Record<string, string>> = {
  "spec-url": "/api/v1/openapi.json",
  // Its own style sheet names a font of another host.
  "load-fonts": "false",
  "regular-font": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
  "mono-font": "ui-monospace, 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  "fetch-credentials": "same-origin",
  "persist-auth": "false",
  "allow-spec-url-load": "false",
  "allow-spec-file-load": "false",
  "allow-server-selection": "false",
  "show-header": "false",
  "schema-style": "table",
  "show-method-in-nav-bar": "as-colored-text",
  "use-path-in-nav-bar": "false",
  "update-route": "true",
};

const colours = {
  light: {
    theme: "light",
    "bg-color": "#fbfbf9",
    "text-color": "#18222a",
    "primary-color": "#0d6170",
    "nav-bg-color": "#f1f3f2",
  },
  dark: {
    theme: "dark",
    "bg-color": "#10161a",
    "text-color": "#e3e9ec",
    "primary-color": "#72cfdc",
    "nav-bg-color": "#182126",
  },
} as const;

/** RapiDoc shows its menu from this width on; without one all operations stand in one list. */
const hasMenu = matchMedia("(min-width: 768px)");

function styleFor({ matches }: { matches: boolean }): Readonly<Record<string, string>> {
  return { "render-style": matches ? "focused" : "view" };
}

const reader = document.createElement("rapi-doc");
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

function setAttributes(of: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(of)) reader.setAttribute(name, value);
}

setAttributes(attributes);
setAttributes(styleFor(hasMenu));
setAttributes(prefersDark.matches ? colours.dark : colours.light);
prefersDark.addEventListener("change", ({ matches }) => setAttributes(matches ? colours.dark : colours.light));
hasMenu.addEventListener("change", (event) => setAttributes(styleFor(event)));
document.body.append(reader);
