/** The sections of the JSON API's document, in its order, each with what it is about. */
export const sections = {
  site: "The registry itself. Anybody may ask, without a credential.",
  me: "Who is asking: their account as a whole, its export and its end.",
  sessions: "Signing in and out with a browser.",
  identities: "The accounts elsewhere that a user signs in with.",
  tokens:
    "The credentials of a user's clients. Only who is signed in with a browser makes one: no token makes another.",
  robots: "Users who are no people, for pipelines and machines. Administrators make them.",
  users: "The people of the registry, for administrators.",
  settings: "What can be set while the registry runs, for administrators.",
  audit: "Who did what and when, for administrators.",
  publishers: "Pipelines that push to a collection without a stored secret. Its owners say which.",
  search: "Finding images among those that the asker may see.",
  labels: "Labels of images, as their builders set them.",
  topics: "Topics of containers, as their owners set them.",
} as const;

export type Section = keyof typeof sections;
