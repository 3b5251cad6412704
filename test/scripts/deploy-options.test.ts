import { afterEach, describe, expect, it, vi } from "vitest";
import { readDeployOptions } from "../../scripts/deploy/options.ts";

/** What the command would have ended with. */
function ending(args: string[], environment: NodeJS.ProcessEnv = {}): string {
  const said: string[] = [];
  vi.spyOn(process, "exit").mockImplementation(() => {
    throw new Error("ended");
  });
  vi.spyOn(console, "error").mockImplementation((text) => said.push(String(text)));
  expect(() => readDeployOptions(args, environment)).toThrow("ended");
  return said.join("\n");
}

afterEach(() => vi.restoreAllMocks());

describe("the variables of identity providers", () => {
  it("are deployed, from the environment and from the command line", () => {
    const environment = {
      OIDC_PROVIDERS: "sign-on",
      OIDC_SIGN_ON_ISSUER: "https://id.example.org",
      OIDC_SIGN_ON_CLIENT_ID: "registry",
      GITHUB_TOKEN: "not-ours",
    };
    const args = ["--var", "OIDC_SIGN_ON_ADMIT=everyone", "--var", "GITHUB_CLIENT_ID=an-id"];
    expect(readDeployOptions(args, environment).variables).toEqual({
      OIDC_PROVIDERS: "sign-on",
      OIDC_SIGN_ON_ISSUER: "https://id.example.org",
      OIDC_SIGN_ON_CLIENT_ID: "registry",
      OIDC_SIGN_ON_ADMIT: "everyone",
      GITHUB_CLIENT_ID: "an-id",
    });
  });

  it("are none of GitHub Actions' own", () => {
    const environment = { GITHUB_ACTIONS: "true", GITHUB_API_URL: "https://github.example.org/api/v3" };
    expect(readDeployOptions([], environment).variables).toEqual({});
  });

  it.each(["GITHUB_CLIENT_SECRET", "OIDC_KEYCLOAK_CLIENT_SECRET"])("do not show %s to anybody", (name) => {
    const text = ending(["--var", `${name}=the-secret-itself`]);
    expect(text).toContain(`npx wrangler secret put ${name}`);
    expect(text).not.toContain("the-secret-itself");
    expect(readDeployOptions([], { OIDC_PROVIDERS: "keycloak", [name]: "the-secret-itself" }).variables).toEqual({
      OIDC_PROVIDERS: "keycloak",
    });
  });

  it("that there are none of are refused", () => {
    expect(ending(["--var", "GITHUB_TOKEN=x"])).toContain("There is no setting 'GITHUB_TOKEN'");
  });
});
