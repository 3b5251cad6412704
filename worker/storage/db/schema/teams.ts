import { sql } from "drizzle-orm";
import { check, index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { users } from "./people.ts";

/** What a team's account has beside what every account has. */
export const teams = sqliteTable(
  "teams",
  {
    id: text("id")
      .primaryKey()
      .references(() => users.id, { onDelete: "cascade" }),
    /** `open`: whoever is signed in may join. */
    joining: text("joining", { enum: ["open", "invitation"] }).notNull(),
    /** The picture's key in R2, its media type and size; null without one. */
    pictureKey: text("picture_key"),
    pictureType: text("picture_type"),
  },
  (table) => [
    check("teams_joining", sql`${table.joining} IN ('open', 'invitation')`),
    check("teams_picture", sql`(${table.pictureKey} IS NULL) = (${table.pictureType} IS NULL)`),
  ],
);

/** People of a team. */
export const teamMembers = sqliteTable(
  "team_members",
  {
    teamId: text("team_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    userId: text("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    role: text("role", { enum: ["owner", "member"] }).notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.teamId, table.userId] }),
    index("team_members_user").on(table.userId),
    check("team_members_role", sql`${table.role} IN ('owner', 'member')`),
  ],
);

/** Links that make somebody a member of a team, once. Only the SHA-256 is kept. Using one deletes it. */
export const invitations = sqliteTable(
  "invitations",
  {
    id: text("id").primaryKey(),
    teamId: text("team_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    hash: text("hash").notNull().unique(),
    role: text("role", { enum: ["owner", "member"] }).notNull(),
    /** Whom it is for, to tell them apart. */
    note: text("note").notNull(),
    createdBy: text("created_by")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
  },
  (table) => [
    index("invitations_team").on(table.teamId, table.id),
    index("invitations_creator").on(table.createdBy),
    index("invitations_expiry").on(table.expiresAt),
    check("invitations_role", sql`${table.role} IN ('owner', 'member')`),
  ],
);
