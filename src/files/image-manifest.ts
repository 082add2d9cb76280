/**
 * What an image consists of: its layers in order, with the commands that made them, and what it starts. Read from a
 * docker-archive's manifest.json (`docker save`) or from an OCI layout's index.json (OCI image specification).
 */
import type { Hash } from "node:crypto";
import { ArchiveError } from "./tar-header.ts";

export interface LayerOrigin {
  /** the place among all layers, from 0 */
  readonly index: number;
  readonly count: number;
  /** of the layer as it is stored: what `docker pull` and a registry name */
  readonly digest: string | null;
  /** of the layer's tar: what `docker inspect` lists */
  readonly diffId: string | null;
  /** what the image's history says made it; null where it says nothing */
  readonly command: string | null;
}

export interface ImageLayer {
  /** its name in the archive or layout */
  readonly member: string;
  /** in bytes, as it is stored; null where the manifest does not say it */
  readonly size: number | null;
  readonly origin: LayerOrigin;
}

export interface ImageManifest {
  readonly layers: readonly ImageLayer[];
  /** "linux/amd64" */
  readonly platform: string;
  /** ENTRYPOINT and CMD */
  readonly command: readonly string[];
  /** ENV, "NAME=value" */
  readonly environment: readonly string[];
  /** WORKDIR, without a slash at its end */
  readonly folder: string;
}

/** Ours: container engines stop at 127 or 128. */
const MAX_LAYERS = 1000;

/** The bytes of a small member; null when there is none of that name. */
export type ReadMember = (name: string) => Buffer | null;

type Json = Readonly<Record<string, unknown>>;

/** Null when this is neither a docker-archive nor an OCI layout. */
export function readManifest(read: ReadMember, platform: string | null): ImageManifest | null {
  const docker = read("manifest.json");
  const index = read("index.json");
  if (index !== null && (docker === null || platform !== null)) return ociManifest(read, index, platform);
  if (docker === null) return null;
  const manifest = parsed(docker, "manifest.json");
  const found = Array.isArray(manifest)
    ? dockerManifest(read, manifest)
    : directoryManifest(read, record(manifest));
  if (found !== null && platform !== null && !fits(found.platform, platform))
    throw new ArchiveError(`it is an image for ${found.platform}, not for ${platform}`);
  return found;
}

/** `skopeo copy … dir:`, `podman save --format docker-dir`: a manifest of a registry, blobs named by the letters of their digests. */
function directoryManifest(read: ReadMember, manifest: Json): ImageManifest | null {
  const digest = text(record(manifest["config"])["digest"]);
  // any program may have a manifest.json in its root
  if (digest === null || !Array.isArray(manifest["layers"])) return null;
  const nameOf = (named: string): string => blobName(named).replace(/.*\//, "");
  return manifestOf(member(read, nameOf(digest), digest), layersOf(manifest, nameOf));
}

function dockerManifest(read: ReadMember, images: readonly unknown[]): ImageManifest {
  const [image] = images;
  if (image === undefined) throw new ArchiveError("manifest.json lists no image");
  if (images.length > 1) {
    const names = images.flatMap((each) => texts(record(each)["RepoTags"])).join(", ");
    throw new ArchiveError(`it holds ${images.length} images (${names}): save one alone`);
  }
  const { Config, Layers } = record(image);
  const config = member(read, text(Config) ?? "");
  return manifestOf(
    config,
    texts(Layers).map((name) => ({ member: name, digest: null, size: null })),
  );
}

interface Candidate {
  readonly manifest: Json;
  readonly config: Json;
  readonly platform: string;
  readonly name: string | null;
  readonly digest: string;
}

function ociManifest(read: ReadMember, index: Buffer, platform: string | null): ImageManifest {
  const all = candidatesOf(read, parsed(index, "index.json"), { depth: 0, name: null });
  const fitting = all.filter((each) => platform === null || fits(each.platform, platform));
  const known = [...new Map(fitting.map((each) => [each.digest, each])).values()];
  const [chosen] = known;
  const names = all.map((each) => each.name ?? each.platform).join(", ");
  const others = [...new Set(all.map((each) => each.platform))].join(", ");
  if (chosen === undefined)
    throw new ArchiveError(
      all.length === 0 ? "it holds no image" : `it holds no image for ${platform}, but for ${others}`,
    );
  if (known.length > 1) {
    const platforms = new Set(known.map((each) => each.platform));
    throw new ArchiveError(
      platforms.size === known.length
        ? `it holds images for ${[...platforms].join(", ")}: choose one with --platform`
        : `it holds ${known.length} images (${names}): save one alone`,
    );
  }
  return manifestOf(chosen.config, layersOf(chosen.manifest, blobName), chosen.platform);
}

type StoredLayer = Pick<ImageLayer, "member" | "size"> & { readonly digest: string | null };

function layersOf(manifest: Json, nameOf: (digest: string) => string): readonly StoredLayer[] {
  return items(manifest["layers"]).map((each) => {
    const { digest: named, size } = record(each);
    const digest = text(named) ?? "";
    return { member: nameOf(digest), digest, size: typeof size === "number" ? size : null };
  });
}

/** BuildKit's annotation of what is said about another image. */
const ATTESTATION = "vnd.docker.reference.type";

interface Nesting {
  readonly depth: number;
  readonly name: string | null;
}

/** All images below an index; attestations and other artefacts have no platform or no configuration of an image. */
function candidatesOf(read: ReadMember, index: unknown, { depth, name }: Nesting): Candidate[] {
  if (depth > 4) throw new ArchiveError("its indexes are nested too deeply");
  return items(record(index)["manifests"]).flatMap((each) => {
    const descriptor = record(each);
    const digest = text(descriptor["digest"]) ?? "";
    const stated = platformOf(record(descriptor["platform"]));
    if (stated === "unknown/unknown" || ATTESTATION in record(descriptor["annotations"])) return [];
    const blob = read(blobName(digest));
    // an index may list platforms whose blobs were not copied
    if (blob === null) return [];
    const document = record(parsed(checked(blob, digest), digest));
    const label = text(record(descriptor["annotations"])["org.opencontainers.image.ref.name"]) ?? name;
    if ("manifests" in document) return candidatesOf(read, document, { depth: depth + 1, name: label });
    const reference = text(record(document["config"])["digest"]);
    if (reference === null || !("layers" in document)) return [];
    const config = member(read, blobName(reference), reference);
    if (!("rootfs" in config)) return [];
    const platform = platformOf(config) ?? stated ?? "unknown";
    return [{ manifest: document, config, platform, name: label, digest }];
  });
}

function platformOf({ os, architecture, variant }: Json): string | null {
  const parts = [text(os), text(architecture)];
  return parts.includes(null) ? null : [...parts, ...texts([variant])].join("/");
}

/** `linux/arm` fits linux/arm/v7; `amd64` alone means Linux. */
function fits(platform: string, wanted: string): boolean {
  const whole = usualName(wanted.includes("/") ? wanted : `linux/${wanted}`);
  const own = usualName(platform);
  return own === whole || own.startsWith(`${whole}/`);
}

const ARCHITECTURES: ReadonlyMap<string, string> = new Map([
  ["x86_64", "amd64"],
  ["x86-64", "amd64"],
  ["aarch64", "arm64"],
  ["i386", "386"],
]);

/** Names for the same: what containerd's platforms.Normalize makes of them. */
function usualName(platform: string): string {
  const [os = "", given = "", ...variant] = platform.toLowerCase().split("/");
  const architecture = ARCHITECTURES.get(given) ?? given;
  const named = [os, architecture, ...variant].join("/");
  return named.replace(/\/arm64\/v?8$/, "/arm64").replace(/\/amd64\/v1$/, "/amd64");
}

function manifestOf(
  config: Json,
  layers: readonly StoredLayer[],
  platform: string = platformOf(config) ?? "unknown",
): ImageManifest {
  if (layers.length > MAX_LAYERS)
    throw new ArchiveError(
      `it has ${layers.length} layers: more than ${MAX_LAYERS} are a limit of sshd-policy`,
    );
  const diffIds = texts(record(config["rootfs"])["diff_ids"]);
  const commands = items(config["history"])
    .map(record)
    .filter((each) => each["empty_layer"] !== true)
    .map((each) => text(each["created_by"]));
  const settings = record(config["config"]);
  return {
    layers: layers.map(({ member: name, digest, size }, index) => ({
      member: name,
      size,
      origin: {
        index,
        count: layers.length,
        digest: digest ?? diffIds[index] ?? null,
        diffId: diffIds[index] ?? null,
        // with more or fewer nobody knows which is whose
        command: commands.length === layers.length ? (commands[index] ?? null) : null,
      },
    })),
    platform,
    command: [...texts(settings["Entrypoint"]), ...texts(settings["Cmd"])],
    environment: texts(settings["Env"]),
    folder: `/${text(settings["WorkingDir"]) ?? ""}`.replaceAll(/\/+/g, "/").replace(/\/$/, ""),
  };
}

/** A digest is part of a path: nothing else than its letters may be in it. */
function blobName(digest: string): string {
  const match = /^([a-z0-9]+):([0-9a-f]{32,128})$/.exec(digest);
  if (match === null) throw new ArchiveError(`"${digest}" is no digest`);
  return `blobs/${match[1]}/${match[2]}`;
}

function member(read: ReadMember, name: string, digest: string | null = null): Json {
  const bytes = read(name);
  if (bytes === null) throw new ArchiveError(`it has no member "${name}", which its manifest names`);
  return record(parsed(digest === null ? bytes : checked(bytes, digest), name));
}

/** Of what has this digest, if it has; null for a digest of another kind. node:crypto is loaded only here: it costs every start otherwise. */
export function hashFor(digest: string | null): Hash | null {
  const [algorithm] = /^sha(?:256|384|512)(?=:)/.exec(digest ?? "") ?? [];
  return algorithm === undefined ? null : process.getBuiltinModule("node:crypto").createHash(algorithm);
}

function checked(bytes: Buffer, digest: string): Buffer {
  const made = hashFor(digest)?.update(bytes).digest("hex");
  if (made !== undefined && !digest.endsWith(`:${made}`))
    throw new ArchiveError(`the blob ${digest} does not have this digest: it is damaged`);
  return bytes;
}

function parsed(bytes: Buffer, name: string): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    throw new ArchiveError(`${name} in it is no JSON`);
  }
}

function record(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** As bytes, one character each, like all names in archives. */
function text(value: unknown): string | null {
  return typeof value === "string" ? Buffer.from(value, "utf8").toString("latin1") : null;
}

function texts(value: unknown): readonly string[] {
  return items(value).flatMap((each) => text(each) ?? []);
}
