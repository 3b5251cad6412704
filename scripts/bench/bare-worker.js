/*
 * What the registry is measured against: a Worker that does the same work on D1 and R2 and nothing else. It
 * knows no user, checks nothing and has no framework. Plain JavaScript, because it runs as it stands here.
 */
const routes = {
  /** A range of an object, as R2 gives it. */
  "GET /object": async (request, { BLOBS }, { key }) => {
    const object = await BLOBS.get(key, { range: request.headers });
    const { offset, length } = object.range;
    const headers = {
      "Content-Length": String(length),
      "Content-Range": `bytes ${offset}-${offset + length - 1}/${object.size}`,
    };
    return new Response(object.body, { status: 206, headers });
  },
  "PUT /object": async (request, { BLOBS }, { key }) => {
    await BLOBS.put(key, request.body);
    return new Response(null);
  },
  "DELETE /object": async (_request, { BLOBS }, { key }) => {
    await BLOBS.delete(key);
    return new Response(null);
  },
  "POST /upload": async (_request, { BLOBS }, { key }) => {
    const { uploadId } = await BLOBS.createMultipartUpload(key);
    return Response.json({ uploadId });
  },
  /** One part, straight into R2. */
  "PUT /upload": async (request, { BLOBS }, { key, uploadId, part }) => {
    const { etag } = await BLOBS.resumeMultipartUpload(key, uploadId).uploadPart(Number(part), request.body);
    return new Response(null, { headers: { ETag: etag } });
  },
  "POST /complete": async (request, { BLOBS }, { key, uploadId }) => {
    await BLOBS.resumeMultipartUpload(key, uploadId).complete(await request.json());
    return new Response(null);
  },
  /** Reads a whole object in slices, one ahead, as a verification does, and makes no digest of them. */
  "GET /read": async (_request, { BLOBS }, { key, size, slice }) => {
    const read = async (offset) => {
      if (offset >= Number(size)) return null;
      const range = { offset, length: Math.min(Number(slice), Number(size) - offset) };
      const object = await BLOBS.get(key, { range });
      return new Uint8Array(await object.arrayBuffer());
    };
    let done = 0;
    for (let ahead = read(0); done < Number(size); ) {
      const bytes = await ahead;
      ahead = read(done + bytes.length);
      done += bytes.length;
    }
    return Response.json({ bytes: done });
  },
  "POST /rows": async (request, { DB }) => {
    const names = await request.json();
    await DB.exec(
      "CREATE TABLE IF NOT EXISTS images (name TEXT PRIMARY KEY, digest TEXT NOT NULL, size INTEGER NOT NULL)",
    );
    const insert = DB.prepare("INSERT OR IGNORE INTO images VALUES (?, 'sha256.0', 1)");
    await DB.batch(names.map((name) => insert.bind(name)));
    return new Response(null);
  },
  /** One raw D1 point query. */
  "GET /row": async (_request, { DB }, { name }) =>
    Response.json(await DB.prepare("SELECT name, digest, size FROM images WHERE name = ?").bind(name).first()),
};

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const route = routes[`${request.method} ${pathname}`];
    if (route === undefined) return new Response(null, { status: 404 });
    return await route(request, env, Object.fromEntries(searchParams));
  },
};
