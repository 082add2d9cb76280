/** Writes tars and images byte by byte: also those that no tool would write. */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

export interface Member {
  /** as it stands in the header: no slash is added or taken away */
  readonly name: string;
  readonly data?: string | Buffer;
  /** default: "0", a file */
  readonly flag?: string;
  readonly target?: string;
  readonly mode?: number;
  readonly uid?: number;
}

export const file = (name: string, data: string | Buffer): Member => ({ name, data });
export const folder = (name: string): Member => ({ name, flag: "5", mode: 0o755 });
export const link = (name: string, target: string): Member => ({ name, flag: "2", target });
export const hardLink = (name: string, target: string): Member => ({ name, flag: "1", target });

/** pax records for the member behind it. */
export function pax(records: Readonly<Record<string, string>>): Member {
  const data = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    const length = rest.length + String(rest.length + 2).length;
    return `${length}${rest}`;
  });
  return { name: "pax", flag: "x", data: data.join("") };
}

export function block({ name, data = "", flag = "0", target = "", mode = 0o644, uid = 0 }: Member): Buffer {
  const header = Buffer.alloc(512);
  const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data, "latin1");
  header.write(name, 0, 100, "latin1");
  header.write(`${mode.toString(8).padStart(7, "0")}\0`, 100, "latin1");
  header.write(`${uid.toString(8).padStart(7, "0")}\0`, 108, "latin1");
  header.write("0000000\0", 116, "latin1");
  header.write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124, "latin1");
  header.write("14000000000\0", 136, "latin1");
  header.write(flag, 156, "latin1");
  header.write(target, 157, 100, "latin1");
  header.write("ustar\0" + "00", 257, "latin1");
  return withChecksum(header);
}

export function withChecksum(header: Buffer): Buffer {
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

export function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

export function tar(members: readonly Member[]): Buffer {
  const parts = members.flatMap((member) => {
    const { data = "" } = member;
    return [block(member), padded(Buffer.isBuffer(data) ? data : Buffer.from(data, "latin1"))];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

export function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export type Compress = (bytes: Buffer) => Buffer;

export const COMPRESSIONS: Readonly<Record<string, { readonly compress: Compress; readonly media: string }>> =
  {
    plain: { compress: (bytes) => bytes, media: "" },
    gzip: { compress: (bytes) => gzipSync(bytes, { level: 1 }), media: "+gzip" },
    zstd: { compress: zstdStored, media: "+zstd" },
  };

/** A frame of raw blocks (RFC 8878, 3.1.1), for machines without zstd(1). */
export function zstdStored(bytes: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUInt32LE(0xfd2fb528);
  head.writeUInt8(0xa0, 4);
  head.writeUInt32LE(bytes.length, 5);
  const parts: Buffer[] = [head];
  const most = 128 * 1024;
  for (let at = 0; at < bytes.length; at += most) {
    const part = bytes.subarray(at, at + most);
    const blockHead = Buffer.alloc(3);
    blockHead.writeUIntLE((part.length << 3) | Number(at + most >= bytes.length), 0, 3);
    parts.push(blockHead, part);
  }
  return Buffer.concat(parts);
}

export interface Layer {
  readonly tar: Buffer;
  readonly command: string;
}

export interface ImageSettings {
  readonly layers: readonly Layer[];
  readonly architecture?: string;
  readonly entrypoint?: readonly string[];
  readonly environment?: readonly string[];
  /** WORKDIR */
  readonly folder?: string;
  readonly cmd?: readonly string[];
}

function configOf({
  layers,
  architecture = "amd64",
  entrypoint,
  environment,
  folder: workdir,
  cmd,
}: ImageSettings): Buffer {
  const config = {
    os: "linux",
    architecture,
    config: {
      Entrypoint: entrypoint ?? null,
      Cmd: cmd ?? null,
      Env: environment ?? null,
      WorkingDir: workdir ?? "",
    },
    rootfs: { type: "layers", diff_ids: layers.map((layer) => `sha256:${sha256(layer.tar)}`) },
    history: layers.flatMap(({ command }) => [
      { created_by: `ENV X=1 before ${command}`, empty_layer: true },
      { created_by: command },
    ]),
  };
  return Buffer.from(JSON.stringify(config));
}

/** As `docker save` wrote it for years: the manifest at the end. */
export function dockerArchive(image: ImageSettings, compress: Compress = (bytes) => bytes): Buffer {
  return tar(dockerMembers(image, compress));
}

export function dockerMembers(image: ImageSettings, compress: Compress = (bytes) => bytes): Member[] {
  const config = configOf(image);
  const name = `${sha256(config)}.json`;
  const stored = image.layers.map(({ tar: bytes }) => ({
    name: `${sha256(bytes)}/layer.tar`,
    data: compress(bytes),
  }));
  const manifest = [{ Config: name, RepoTags: ["test:1"], Layers: stored.map((layer) => layer.name) }];
  return [...stored, { name, data: config }, file("manifest.json", JSON.stringify(manifest))];
}

/** Blobs and index of an OCI layout with these images, as members of an archive. */
export function ociMembers(
  images: readonly ImageSettings[],
  kind: keyof typeof COMPRESSIONS | string,
): Member[] {
  const blobs = new Map<string, Buffer>();
  const store = (bytes: Buffer, mediaType: string): { mediaType: string; digest: string; size: number } => {
    blobs.set(sha256(bytes), bytes);
    return { mediaType, digest: `sha256:${sha256(bytes)}`, size: bytes.length };
  };
  const { compress, media } = COMPRESSIONS[kind] ?? { compress: (bytes: Buffer) => bytes, media: "" };
  const manifests = images.map((image) => {
    const manifest = {
      schemaVersion: 2,
      config: store(configOf(image), "application/vnd.oci.image.config.v1+json"),
      layers: image.layers.map((layer) =>
        store(compress(layer.tar), `application/vnd.oci.image.layer.v1.tar${media}`),
      ),
    };
    const descriptor = store(
      Buffer.from(JSON.stringify(manifest)),
      "application/vnd.oci.image.manifest.v1+json",
    );
    return { ...descriptor, platform: { os: "linux", architecture: image.architecture ?? "amd64" } };
  });
  const list = store(
    Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })),
    "application/vnd.oci.image.index.v1+json",
  );
  return [
    file("oci-layout", '{"imageLayoutVersion":"1.0.0"}'),
    file("index.json", JSON.stringify({ schemaVersion: 2, manifests: [list] })),
    ...[...blobs].map(([digest, data]) => ({ name: `blobs/sha256/${digest}`, data })),
  ];
}

/** As skopeo's `dir:` and `podman save --format docker-dir` lay an image out. */
export function directoryMembers(image: ImageSettings, compress: Compress): Member[] {
  const config = configOf(image);
  const blobs = [config, ...image.layers.map((layer) => compress(layer.tar))];
  const [described, ...layers] = blobs.map((bytes) => ({
    digest: `sha256:${sha256(bytes)}`,
    size: bytes.length,
  }));
  return [
    file("version", "Directory Transport Version: 1.1\n"),
    file("manifest.json", JSON.stringify({ schemaVersion: 2, config: described, layers })),
    ...blobs.map((data) => ({ name: sha256(data), data })),
  ];
}

/** A layout of one image, which umoci finds by the tag "v1". */
export function taggedMembers(image: ImageSettings, kind: keyof typeof COMPRESSIONS | string): Member[] {
  const members = ociMembers([image], kind);
  const manifest = members.findLast(({ data }) => String(data).startsWith('{"schemaVersion":2,"config"'));
  const descriptor = {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest: manifest?.name.replace("blobs/sha256/", "sha256:"),
    size: Buffer.from(manifest?.data ?? "").length,
    annotations: { "org.opencontainers.image.ref.name": "v1" },
  };
  const index = file("index.json", JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }));
  return members.map((member) => (member.name === "index.json" ? index : member));
}

/** The members as files of a folder. */
export function layOut(target: string, members: readonly Member[]): void {
  for (const { name, data = "" } of members) {
    mkdirSync(dirname(join(target, name)), { recursive: true });
    writeFileSync(join(target, name), Buffer.isBuffer(data) ? data : Buffer.from(data, "latin1"));
  }
}
