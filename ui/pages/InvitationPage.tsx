import { createResource, createSignal, Match, onCleanup, Show, Switch } from "solid-js";
import { createAction } from "../action.ts";
import { ApiError, ask, toApiError } from "../api/client.ts";
import type { ShownInvitation } from "../api/schema.d.ts";
import { Moment } from "../components/Moment.tsx";
import { ProblemNote } from "../components/ProblemNote.tsx";
import { forgetInvitation, keepInvitation, keptInvitation } from "../invitation.ts";
import { leadingOn, paths } from "../paths.ts";
import type { Visit } from "../visit.ts";
import { addressOf } from "./CollectionsPage.data.ts";

/** Shows which team an invitation leads to. Opening it uses nothing up: a button does. */
export function InvitationPage(props: Visit) {
  const [secret, setSecret] = createSignal(keptInvitation());
  const [joined, setJoined] = createSignal<string | null>(null);
  // A second link in the same tab changes the fragment alone.
  const take = () => {
    keepInvitation();
    setSecret(keptInvitation());
    setJoined(null);
  };
  addEventListener("hashchange", take);
  onCleanup(() => removeEventListener("hashchange", take));

  return (
    <Switch
      fallback={
        <div class="hero">
          <h1>Invitation</h1>
          <p class="lede">
            There is none in this page's address. Open the whole link again, to its end, as you got it.
          </p>
        </div>
      }
    >
      <Match when={joined()}>{(team) => <Joined team={team()} />}</Match>
      <Match when={secret() !== "" && props.me === null}>
        <div class="hero">
          <h1>You are invited to a team</h1>
          <p class="lede">Sign in to see which one, and to join it. The invitation waits for you in this tab.</p>
          <p>
            <a class="button primary" href={leadingOn(paths.login, paths.invitations)}>
              Sign in
            </a>
          </p>
        </div>
      </Match>
      <Match when={secret() !== "" && props.me}>
        {(me) => <Invited secret={secret()} username={me().username} onJoined={setJoined} />}
      </Match>
    </Switch>
  );
}

function Invited(props: { secret: string; username: string; onJoined: (team: string) => void }) {
  const [invitation] = createResource(
    () => props.secret,
    (secret) => asking(() => ask("POST /api/v1/invitations/preview", { body: { secret } })),
  );
  const shown = () => (invitation.state === "ready" ? invitation() : undefined);
  return (
    <Switch fallback={<p class="loading">Loading …</p>}>
      <Match when={invitation.state === "errored"}>
        <div class="hero">
          <h1>Invitation</h1>
          <ProblemNote problem={toApiError(invitation.error)} />
        </div>
      </Match>
      <Match when={shown()}>{(given) => <Offer {...props} shown={given()} />}</Match>
    </Switch>
  );
}

function Offer(props: { secret: string; username: string; shown: ShownInvitation; onJoined: (team: string) => void }) {
  const joining = createAction();
  const join = () =>
    joining.run(async () => {
      const { secret } = props;
      const { team } = await asking(() => ask("POST /api/v1/invitations/acceptance", { body: { secret } }));
      forgetInvitation();
      props.onJoined(team);
    });
  const team = () => props.shown.team;
  const isMore = () =>
    props.shown.yourRole === null || (props.shown.yourRole === "member" && props.shown.role === "owner");
  return (
    <div class="hero">
      <h1>Join {team().name}</h1>
      <p class="lede">
        {props.shown.invitedBy} invites you to the team <strong>{team().name}</strong>.
      </p>
      <Show when={team().description !== ""}>
        <p>{team().description}</p>
      </Show>
      <Show
        when={isMore()}
        fallback={<p>You are in it already, as {props.username}. The invitation is still good for somebody else.</p>}
      >
        <p>
          You come in as {props.shown.role === "owner" ? "an owner" : "a member"}: {meanings[props.shown.role]} Its
          people see that you are in it. The invitation works once, until <Moment at={props.shown.expiresAt} />.
        </p>
        <button type="button" class="button primary" disabled={joining.isBusy()} onClick={join}>
          Join as {props.username}
        </button>
        <ProblemNote problem={joining.problem()} />
      </Show>
    </div>
  );
}

const meanings: Record<ShownInvitation["role"], string> = {
  member: "you can pull from the team's collections and push to them.",
  owner: "you can do everything in the team's collections, and look after the team and its people.",
};

function Joined(props: { team: string }) {
  return (
    <div class="hero">
      <h1 tabindex={-1} ref={(element) => queueMicrotask(() => element.focus())}>
        You are in {props.team}
      </h1>
      <p class="lede">Your tokens reach the team's collections from now on. New ones are not needed.</p>
      <p class="buttons">
        {/* What somebody works in through a team is theirs, too. */}
        <a class="button primary" href={addressOf({ isMine: true, sort: "updated" })}>
          Your collections, and the team's
        </a>
        <a class="button" href={paths.home}>
          How to connect a client
        </a>
      </p>
    </div>
  );
}

/** Asks with an invitation, and forgets one that has ended. */
async function asking<Answer>(act: () => Promise<Answer>): Promise<Answer> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof ApiError && error.code === "link-ended") forgetInvitation();
    throw error;
  }
}
