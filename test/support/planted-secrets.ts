/** What must stand nowhere, and everything where it could. */
export interface PlantedSecrets {
  /** @param madeBy the one text that may hold it, as `note` named it: the answer that gave it out */
  plant: (name: string, secret: string, madeBy?: string) => string;
  /** Something that was answered or printed. @param where names it, once */
  note: (where: string, text: string) => void;
  /** Secrets that were found, as sentences that do not repeat them. */
  found: () => string[];
  /** How many texts were looked through. */
  texts: () => number;
}

/** So much of a secret counts as it. What is shown to tell tokens from one another is shorter. */
const PART = 16;
/** What all tokens begin with is no secret. */
const PREFIX = 16;

export function newPlantedSecrets(): PlantedSecrets {
  const secrets = new Map<string, { name: string; madeBy: string | undefined }[]>();
  /** Many answers are the same: looking once is enough. */
  const noted = new Map<string, string>();
  let count = 0;
  return {
    plant: (name, secret, madeBy) => {
      if (secret.length < PREFIX + PART) throw new Error(`${name} is too short to be found for certain`);
      for (const part of formsOf(secret).flatMap(partsOf)) {
        secrets.set(part, [...(secrets.get(part) ?? []), { name, madeBy }]);
      }
      return secret;
    },
    note: (where, text) => {
      count++;
      if (!noted.has(text)) noted.set(text, where);
    },
    found: () =>
      [...noted].flatMap(([text, where]) => {
        const names = new Set<string>();
        // Thousands of parts, and megabytes of text: each place is looked up once.
        for (let at = 0; at + PART <= text.length; at++) {
          for (const { name, madeBy } of secrets.get(text.slice(at, at + PART)) ?? []) {
            if (where !== madeBy) names.add(name);
          }
        }
        return [...names].map((name) => `${name} stands in ${where}`);
      }),
    texts: () => count,
  };
}

/** As it is, and as somebody may have written it. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [secret, bytes.toString("hex"), bytes.toString("base64"), [...secret].reverse().join("")];
}

/** Pieces so that any run of twice their length holds one. */
function partsOf(form: string): string[] {
  const count = Math.floor((form.length - PREFIX) / PART);
  return Array.from({ length: count }, (_, index) => form.slice(PREFIX + index * PART, PREFIX + (index + 1) * PART));
}
