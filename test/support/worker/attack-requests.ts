import type { Ask } from "./registry.ts";
import { cut, type Identifiers } from "./victim.ts";

/** A request of another protocol with somebody's things. */
export type Asking = (of: Identifiers) => [url: string, options: Ask];

const get =
  (url: (of: Identifiers) => string): Asking =>
  (of) => [url(of), { method: "GET" }];
export const pathOf = (of: Identifiers) => `${of.entity}/${of.collection}/${of.container}`;
const zeros = `sha256.${"1".repeat(64)}`;

/** What the library protocol, sregistry's, links and blobs can be asked about somebody's things. */
export const requests: [string, Asking][] = [
  ["GET /v1/entities", get((of) => `/v1/entities/${of.entity}`)],
  ["GET /v1/entities of her team", get((of) => `/v1/entities/${of.names.teamEntity}`)],
  ["GET /v1/collections", get((of) => `/v1/collections/${of.entity}/${of.collection}`)],
  ["GET /v1/collections of her team", get((of) => `/v1/collections/${of.names.teamEntity}/secret-work`)],
  ["GET /v1/containers", get((of) => `/v1/containers/${pathOf(of)}`)],
  ["GET /v1/containers by short name", get((of) => `/v1/containers/${of.collection}/${of.container}`)],
  ["GET /v1/images by tag", get((of) => `/v1/images/${pathOf(of)}:${of.names.tag}`)],
  ["GET /v1/images by digest", get((of) => `/v1/images/${pathOf(of)}:${of.names.digest}`)],
  ["GET /v1/imagefile by tag", get((of) => `/v1/imagefile/${pathOf(of)}:${of.names.tag}`)],
  ["GET /v1/imagefile by digest", get((of) => `/v1/imagefile/${pathOf(of)}:${of.names.digest}`)],
  ["GET /v1/tags", get((of) => `/v1/tags/${of.ids.container}`)],
  ["GET /v2/tags", get((of) => `/v2/tags/${of.ids.container}`)],
  ["GET /v1/search", get((of) => `/v1/search?value=${of.container}`)],
  ["POST /v1/entities", (of) => ["/v1/entities", { method: "POST", body: { name: of.names.teamEntity } }]],
  [
    "POST /v1/collections",
    (of) => ["/v1/collections", { method: "POST", body: { name: "new", entity: of.ids.entity } }],
  ],
  [
    "POST /v1/containers",
    (of) => ["/v1/containers", { method: "POST", body: { name: "new", collection: of.ids.collection } }],
  ],
  ["POST /v1/images", (of) => ["/v1/images", { method: "POST", body: { hash: zeros, container: of.ids.container } }]],
  [
    "POST /v1/images with her digest",
    (of) => ["/v1/images", { method: "POST", body: { hash: of.names.digest, container: of.ids.container } }],
  ],
  [
    "POST /v2/imagefile",
    (of) => [`/v2/imagefile/${of.ids.pending}`, { method: "POST", body: { filesize: 100, sha256sum: "" } }],
  ],
  ["POST /v1/imagefile", (of) => [`/v1/imagefile/${of.ids.pending}`, { method: "POST", body: "bytes" }]],
  ["PUT _complete", (of) => [`/v2/imagefile/${of.ids.pending}/_complete`, { method: "PUT", body: {} }]],
  [
    "POST _multipart",
    (of) => [`/v2/imagefile/${of.ids.pending}/_multipart`, { method: "POST", body: { filesize: 100 } }],
  ],
  ...["", "_complete", "_abort"].map((step): [string, Asking] => [
    `PUT _multipart${step}`,
    (of) => {
      const part = { partNumber: 1, partSize: 100, sha256sum: "" };
      const body = { uploadID: of.secrets.uploadID, ...(step === "" ? part : { completedParts: [] }) };
      return [`/v2/imagefile/${of.ids.pending}/_multipart${step}`, { method: "PUT", body }];
    },
  ]),
  ...(["v1", "v2"] as const).map((version): [string, Asking] => [
    `POST /${version}/tags`,
    (of) => {
      const body = { Arch: "amd64", Tag: "stolen", ImageID: of.ids.image };
      return [`/${version}/tags/${of.ids.container}`, { method: "POST", body }];
    },
  ]),
  ["DELETE /v1/images by tag", (of) => [`/v1/images/${pathOf(of)}:${of.names.tag}`, { method: "DELETE" }]],
  ["DELETE /v1/images by digest", (of) => [`/v1/images/${pathOf(of)}:${of.names.digest}`, { method: "DELETE" }]],
  ["GET /api/collections", get((of) => `/api/collections/${of.ids.collection}/`)],
  ["GET /api/collection", get((of) => `/api/collection/${of.entity}/${of.collection}`)],
  ["GET /api/collection/search", get((of) => `/api/collection/search/${of.collection}`)],
  ["GET /api/containers", get((of) => `/api/containers/${of.ids.container}.${of.names.tag}/`)],
  ["GET /api/container", get((of) => `/api/container/${pathOf(of)}:${of.names.tag}`)],
  ["GET /container", get((of) => `/container/${of.collection}/${of.container}:${of.names.tag}`)],
  ["GET /api/container/search", get((of) => `/api/container/search/name/${of.container}`)],
  ["GET /api/labels/search", get((of) => `/api/labels/search/${of.names.key}/key/${of.names.value}/value/`)],
  ["DELETE /api/container", (of) => [`/api/container/${pathOf(of)}:${of.names.tag}`, { method: "DELETE" }]],
  ["GET /v1/entities, the list", get(() => "/v1/entities")],
  ["GET /v1/collections, the list", get(() => "/v1/collections")],
  ["GET /api/collections, the list", get(() => "/api/collections/")],
  ["GET /api/containers, the list", get(() => "/api/containers/")],
  [
    "GET /ENTITY/api/container",
    get((of) => `/${of.entity}/api/container/${of.collection}/${of.container}:${of.names.tag}`),
  ],
  ["GET a badge of her collection", get((of) => `/api/v1/badges/${of.entity}/${of.collection}/stars.svg`)],
  ["GET a badge of her container", get((of) => `/api/v1/badges/${pathOf(of)}/size.svg`)],
  ["GET /sitemap-collections.xml", get(() => "/sitemap-collections.xml")],
  ["GET /sitemap-containers.xml", get(() => "/sitemap-containers.xml")],
  ["GET /s with one letter wrong", get((of) => `/s/${cut(of.secrets.share ?? "")}`)],
  ["HEAD /s with one letter wrong", (of) => [`/s/${cut(of.secrets.share ?? "")}`, { method: "HEAD" }]],
  ["GET /s of her share's id", get((of) => `/s/${of.ids.share}`)],
  ["PUT /blobs/part of her upload", (of) => [`/blobs/part?upload=${of.ids.upload}`, { method: "PUT", body: "x" }]],
  ["GET /blobs with one letter wrong", get((of) => cut(of.secrets.download ?? ""))],
  ["PUT /blobs/upload with one letter wrong", (of) => [cut(of.secrets.uploadUrl ?? ""), { method: "PUT", body: "x" }]],
];
