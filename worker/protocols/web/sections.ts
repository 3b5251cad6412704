/** The sections of the JSON API's document, in its order, each with what it is about. */
export const sections = {
  site: "The registry itself. Anybody may ask, without a credential.",
  me: "Who is asking: their account as a whole, its export and its end.",
  sessions: "Signing in and out with a browser.",
  identities: "The accounts elsewhere that a user signs in with.",
  tokens:
    "The credentials of a user's clients. Only who is signed in with a browser makes one: no token makes another.",
  robots: "Users who are no people, for pipelines and machines. Administrators and teams make them.",
  teams: "People who work together: who they are, and the invitations that bring somebody in.",
  users: "The people of the registry, for administrators.",
  quotas: "How many bytes users and teams may hold.",
  uploads: "Images that come in parts, from a browser or a script, and can be gone on with.",
  settings: "What can be set while the registry runs, for administrators.",
  audit: "Who did what and when, for administrators.",
  publishers: "Pipelines that push to a collection without a stored secret. Its owners say which.",
  entities: "What collections are in: each belongs to a user or a team.",
  collections: "Collections of containers: their visibility, what was done in them, and giving them away.",
  people: "Who may do what in a collection, and why.",
  stars: "Collections that one has marked.",
  containers: "What a collection holds: images under one name. Owners of the collection change and delete them.",
  images: "Images of a container, by their digests.",
  tags: "Names of images in their container. Contributors set them, owners freeze and delete them.",
  search: "Finding images among those that the asker may see.",
  labels: "Labels of images, as their builders set them.",
  topics: "Topics of containers, as their owners set them.",
  shares: "Links by which anybody pulls one image. Its collection's owners make them.",
  statistics: "How much there is, and how often it is pulled: of what the asker may see.",
} as const;

export type Section = keyof typeof sections;
