import type { Account } from "../../identity/account.ts";
import type { Provider, Rule } from "../providers.ts";

/** What a rule looks at. */
export type Claimed = Pick<Account, "email" | "emailVerified" | "groups" | "organizations">;

/** Whether somebody may become a user with this account. */
export function isAdmitted({ admit }: Provider, account: Claimed): boolean {
  if (admit === "everyone") return true;
  return admit !== "nobody" && admit.some((rule) => matches(rule, account));
}

/**
 * Whether a user whose account here was made by signing in there may go on: whoever has left the organization that
 * let them in may not. `nobody` only ends that others come.
 */
export function isStillAdmitted(provider: Provider, account: Claimed): boolean {
  return provider.admit === "nobody" || isAdmitted(provider, account);
}

/** Whether signing in with this account makes an administrator. */
export function givesAdmin({ admins }: Provider, account: Claimed): boolean {
  return admins.some((rule) => matches(rule, account));
}

function matches({ kind, value }: Rule, { email, emailVerified, groups, organizations }: Claimed): boolean {
  switch (kind) {
    case "domain":
      return emailVerified && email !== null && email.slice(email.lastIndexOf("@") + 1).toLowerCase() === lower(value);
    case "organization":
      return organizations.some((name) => lower(name) === lower(value));
    case "group":
      // A provider may tell `Admins` from `admins`.
      return groups.includes(value);
    default:
      return kind satisfies never;
  }
}

function lower(text: string): string {
  return text.toLowerCase();
}
