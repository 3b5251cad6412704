import { createHmac } from "node:crypto";
import type { SignatureKind } from "../../worker/formats/hmac.ts";
import { payloadOf, type SignedNames, timestampOf } from "../../worker/formats/hmac.ts";

/*
 * What sregistry-cli 0.2.39 sends, made without it.
 */

/** What it signs with. */
export interface Signer {
  username: string;
  key: string;
}

/** Its Authorization header, for an hour that may be another than this. */
export function signed(kind: SignatureKind, { username, key }: Signer, names: SignedNames, at = Date.now()): string {
  const timestamp = timestampOf(at);
  const signature = createHmac("sha256", key).update(payloadOf({ kind, timestamp }, names)).digest("hex");
  const user = Buffer.from(username).toString("base64");
  return `SREGISTRY-HMAC-SHA256 Credential=${kind}/${user}/${timestamp},Signature=${signature}`;
}

/** Two-part names as it parses them. */
export function namesOf(text: string): SignedNames {
  const [, collection = "", container = "", tag = "latest"] = /^(.+)\/([^/:]+)(?::(.+))?$/.exec(text) ?? [];
  return { collection, container, tag };
}

export const BOUNDARY = "58f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0";

export type FormPart = { name: string; value: string } | { name: string; fileName: string; bytes: Uint8Array };

/** The parts of its form, in its order. */
export function formParts(authorization: string, cid: string, names: SignedNames, bytes: Uint8Array): FormPart[] {
  return [
    { name: "SREGISTRY_EVENT", value: authorization },
    { name: "name", value: names.container },
    { name: "collection", value: cid },
    { name: "tag", value: names.tag },
    { name: "file1", fileName: `${names.container}:${names.tag}.sif`, bytes },
  ];
}

/** A form as requests_toolbelt writes it: text parts have no Content-Type. */
export function formBody(parts: readonly FormPart[], boundary = BOUNDARY): Uint8Array<ArrayBuffer> {
  const pieces = parts.flatMap((part) => {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${part.name}"`;
    if ("value" in part) return [Buffer.from(`${head}\r\n\r\n${part.value}\r\n`)];
    const file = `${head}; filename="${part.fileName}"\r\nContent-Type: text/plain\r\n\r\n`;
    return [Buffer.from(file), Buffer.from(part.bytes), Buffer.from("\r\n")];
  });
  return new Uint8Array(Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]));
}

export const formType = (boundary = BOUNDARY) => `multipart/form-data; boundary=${boundary}`;
