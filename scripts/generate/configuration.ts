import { limits } from "../../worker/registry/limits.ts";
import {
  fixedFamilies,
  openFamily,
  type ProviderVariable,
  variablesOf,
} from "../../worker/registry/provider-families.ts";
import { oidcProviders } from "../../worker/registry/providers.ts";
import { runTimeGroups } from "../../worker/registry/setting-kinds.ts";
import { settingDefinitions } from "../../worker/registry/settings.ts";

type Definition = (typeof settingDefinitions)[keyof typeof settingDefinitions];
type Group = Definition["group"];

const definitions: readonly [string, Definition][] = Object.entries(settingDefinitions);

// Total, so that a new group does not compile until it has a title here. Their order is the page's.
const groups: Record<Group, { title: string; introduction: string }> = {
  site: { title: "The site", introduction: "What the registry says of itself." },
  policy: { title: "Who may do what", introduction: "They hold on every path and in every protocol." },
  network: { title: "Network", introduction: "Where the registry stands." },
  secrets: {
    title: "Secrets",
    introduction: "Random texts that only the registry and you know. They are never variables of a deployment.",
  },
};

/** `docs/configuration.md`: every setting there is, and how it is given. */
export function renderConfiguration(): string {
  const sections = Object.entries(groups).map(([group, { title, introduction }]) => {
    const settings = definitions.filter(([, definition]) => definition.group === group);
    const changes = runTimeGroups.has(group as Group) ? " Administrators can change them while it runs." : "";
    return `## ${title}\n\n${introduction}${changes}\n\n${table(settings)}`;
  });
  return `${head}\n\n${sections.join("\n\n")}\n\n${rotation}\n\n${signingIn()}\n`;
}

function table(settings: readonly [string, Definition][]): string {
  const rows = settings.map(([name, { type, defaultText, meaning }]) => {
    return `| \`${name}\` | ${cell(type)} | ${cell(defaultText)} | ${cell(meaning)} |`;
  });
  return ["| name | value | default | meaning |", "|---|---|---|---|", ...rows].join("\n");
}

/** The providers' variables: one table each, because each can prove something else of an account. */
function signingIn(): string {
  const row = ({ name, allowed, default: fallback, meaning }: ProviderVariable) =>
    `| \`${name}\` | ${cell(allowed)} | ${cell(fallback)} | ${cell(meaning)} |`;
  const tableOf = (rows: readonly string[]) =>
    ["| name | value | default | meaning |", "|---|---|---|---|", ...rows].join("\n");
  const families = fixedFamilies.map((family) => `### ${family.name}\n\n${tableOf(variablesOf(family).map(row))}`);
  const open = [oidcProviders, ...variablesOf(openFamily("name"))].map(row);
  const introduction = `Where people sign in from. A provider is on when its \`CLIENT_ID\` is set; [signing-in.md](signing-in.md) has an example of each. These
belong to the deployment, and cannot be changed while the registry runs. Each \`CLIENT_SECRET\` is a secret: \`npm start\` reads it from the
environment, a deployed registry from \`npx wrangler secret put\`.`;
  const others = `### Any OpenID Connect provider\n\nFor one called \`name\`; a \`-\` in a name is a \`_\` in its variables.\n\n${tableOf(open)}`;
  return ["## Signing in", introduction, ...families, others].join("\n\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

const [aSetting, anotherSetting] = ["REGISTRY_NAME", "DEFAULT_PRIVATE"] satisfies (keyof typeof settingDefinitions)[];

const head = `<!-- Made by \`npm run generate\` from worker/registry/settings.ts. Change it there. -->

# Configuration

Everything that can be set, made from the code that reads it.

A setting's value is, the first that there is:

1. **what the environment says**: it locks the setting, and nobody changes it while the registry runs. A variable that is empty says nothing;
2. **what an administrator set** while it runs, where the setting's section says that they can: it is kept in the database;
3. **its default**.

A wrong value in the environment stops the registry: \`npm start\` and \`npm run deploy\` say what is wrong and end, and a deployed registry answers
500 until it is mended, with the reasons in its log. One in the database is refused when it is set; should a later version not allow it any
more, the default counts. Names that stand in no table below are ignored.

## How to give them

**To \`npm start\`**, in its environment. It reads them once, when it starts:

\`\`\`sh
${aSetting}="Lab images" ${anotherSetting}=true npm start
\`\`\`

Its two secrets it makes on the first start and keeps in \`.data/secrets.json\` (with \`--data DIR\`, in that folder), readable by you alone.

**To \`npm run deploy\`**, with \`--var\`, as often as you like:

\`\`\`sh
npm run deploy -- --var PUBLIC_ORIGIN=https://registry.example.org --var "${aSetting}=Lab images"
\`\`\`

Settings in the environment of that command count too, and \`--var\` goes before them. They become variables of the Worker, which anyone who may
see it on Cloudflare's dashboard can read. What was set before and is not named stays as it is, and \`--var ${aSetting}=\` goes back to the
default. A secret is refused here: \`npm run deploy\` makes the three it needs on the first deployment and keeps them in \`.secrets/deployment.json\`;
any other is set with \`npx wrangler secret put NAME\`.

**While it runs**, from the page of settings, by \`PUT /api/v1/settings/NAME\`, or at the command line. It counts everywhere within
${limits.settingsCacheSeconds} seconds, needs no restart, and stands in the audit log with its old and its new value:

\`\`\`sh
npm run admin -- show-settings
npm run admin -- set-setting --name ${aSetting} --value "Lab images"
npm run admin -- reset-setting --name ${aSetting}
\`\`\``;

const rotation = `### Change SIGNING_SECRET

Upload and download URLs name the secret that signed them, and live for ${limits.downloadMaxSeconds / 3600} hours at most. So the old secret stays for a day beside the new one, and
no transfer breaks.

Make a new one: \`openssl rand -base64 32\`.

On a deployed registry, in this order:

1. \`npx wrangler secret put SIGNING_SECRET_PREVIOUS\`, and paste the old one: \`SIGNING_SECRET\` in \`.secrets/deployment.json\`.
2. \`npx wrangler secret put SIGNING_SECRET\`, and paste the new one.
3. Write the new one into \`.secrets/deployment.json\`, so that you have it the next time.
4. A day later: \`npx wrangler secret delete SIGNING_SECRET_PREVIOUS\`.

On a registry that \`npm start\` runs, stop it, and in \`.data/secrets.json\` give \`SIGNING_SECRET_PREVIOUS\` the old value and \`SIGNING_SECRET\` the
new one. Start it again. A day later remove \`SIGNING_SECRET_PREVIOUS\` in the same way.

If the old secret is known to someone who should not have it, leave \`SIGNING_SECRET_PREVIOUS\` unset: every URL given out ends at once, and
running pulls and pushes have to be begun again.

### Change SEALING_SECRET

It seals the keys of sregistry-cli in the database. In the same way give \`SEALING_SECRET_PREVIOUS\` the old one and \`SEALING_SECRET\` a new one. Then
\`npm run admin -- reseal-keys\` seals every key with the new one; when it has ended well, remove \`SEALING_SECRET_PREVIOUS\`. A key that neither opens
is lost: its user needs another (\`npm run admin -- add-key\`).`;
