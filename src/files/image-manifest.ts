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

/** Which of several images: by platform, by a name or the tag at its end; null: the only one. */
export interface ImageChoice {
  readonly platform: string | null;
  readonly tag: string | null;
}

/** Null when this is neither a docker-archive nor an OCI layout. */
export function readManifest(read: ReadMember, choice: ImageChoice): ImageManifest | null {
  const { platform } = choice;
  const docker = read("manifest.json");
  const index = read("index.json");
  if (index !== null && (docker === null || platform !== null)) return ociManifest(read, index, choice);
  if (docker === null) return null;
  const manifest = parsed(docker, "manifest.json");
  const found = Array.isArray(manifest)
    ? dockerManifest(read, manifest, choice)
    : directoryManifest(read, record(manifest), choice);
  if (found !== null && platform !== null && !fits(found.platform, platform))
    throw new ArchiveError(`it is an image for ${found.platform}, not for ${platform}`);
  return found;
}

/** `skopeo copy … dir:`, `podman save --format docker-dir`: a manifest of a registry, blobs named by the letters of their digests. */
function directoryManifest(read: ReadMember, manifest: Json, { tag }: ImageChoice): ImageManifest | null {
  const digest = text(record(manifest["config"])["digest"]);
  // any program may have a manifest.json in its root
  if (digest === null || !Array.isArray(manifest["layers"])) return null;
  if (tag !== null) throw new ArchiveError(`it holds one image, without a name: leave :${tag} out`);
  const nameOf = (named: string): string => blobName(named).replace(/.*\//, "");
  return manifestOf(member(read, nameOf(digest), digest), layersOf(manifest, nameOf));
}

function dockerManifest(read: ReadMember, images: readonly unknown[], { tag }: ImageChoice): ImageManifest {
  const all = images.map((image) => ({ image: record(image), names: texts(record(image)["RepoTags"]) }));
  if (all.length === 0) throw new ArchiveError("manifest.json lists no image");
  const fitting = named(all, tag);
  const [chosen] = fitting;
  if (chosen === undefined || fitting.length > 1) throw tooMany(all, fitting.length, tag);
  const { Config, Layers } = chosen.image;
  const config = member(read, text(Config) ?? "");
  return manifestOf(
    config,
    texts(Layers).map((name) => ({ member: name, digest: null, size: null })),
  );
}

interface Named {
  readonly names: readonly string[];
}

/** Those of this name, or with this tag at the end of theirs; what is named whole counts first. */
function named<T extends Named>(all: readonly T[], tag: string | null): readonly T[] {
  if (tag === null) return all;
  const whole = all.filter(({ names }) => names.includes(tag));
  return whole.length > 0 ? whole : all.filter(({ names }) => names.some((name) => name.endsWith(`:${tag}`)));
}

/** None fits, or several do. */
function tooMany(all: readonly Named[], fitting: number, tag: string | null): ArchiveError {
  const names = all.flatMap((each) => each.names);
  const known = names.length === 0 ? "without names" : names.join(", ");
  if (fitting === 0) return new ArchiveError(`it holds no image "${tag}", but ${known}`);
  const way =
    names.length < all.length ? "save one alone" : "choose one by its name behind a colon (FILE:NAME)";
  return new ArchiveError(`it holds ${all.length} images (${known}): ${way}`);
}

interface Candidate {
  readonly manifest: Json;
  readonly config: Json;
  readonly platform: string;
  readonly names: readonly string[];
  readonly digest: string;
}

function ociManifest(read: ReadMember, index: Buffer, { platform, tag }: ImageChoice): ImageManifest {
  const all = distinct(candidatesOf(read, parsed(index, "index.json"), { depth: 0, names: [] }));
  if (all.length === 0) throw new ArchiveError("it holds no image");
  const meant = named(all, tag);
  if (meant.length === 0) throw tooMany(all, 0, tag);
  const fitting = meant.filter((each) => platform === null || fits(each.platform, platform));
  const [chosen] = fitting;
  if (chosen === undefined) {
    const others = [...new Set(meant.map((each) => each.platform))].join(", ");
    throw new ArchiveError(`it holds no image for ${platform}, but for ${others}`);
  }
  const platforms = new Set(fitting.map((each) => each.platform));
  if (fitting.length > 1 && platforms.size < fitting.length) throw tooMany(fitting, fitting.length, tag);
  if (fitting.length > 1)
    throw new ArchiveError(`it holds images for ${[...platforms].join(", ")}: choose one with --platform`);
  return manifestOf(chosen.config, layersOf(chosen.manifest, blobName), chosen.platform);
}

/** An image may be listed under several names. */
function distinct(candidates: readonly Candidate[]): readonly Candidate[] {
  const byDigest = new Map<string, Candidate>();
  for (const each of candidates) {
    const names = [...(byDigest.get(each.digest)?.names ?? []), ...each.names];
    byDigest.set(each.digest, { ...each, names: [...new Set(names)] });
  }
  return [...byDigest.values()];
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

/** Annotations that hold an image's name: its tag alone, or the whole of it. */
const NAMES = ["org.opencontainers.image.ref.name", "io.containerd.image.name"];

interface Nesting {
  readonly depth: number;
  readonly names: readonly string[];
}

/** All images below an index; attestations and other artefacts have no platform or no configuration of an image. */
function candidatesOf(read: ReadMember, index: unknown, { depth, names: above }: Nesting): Candidate[] {
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
    const own = NAMES.flatMap((key) => text(record(descriptor["annotations"])[key]) ?? []);
    const names = own.length > 0 ? own : above;
    if ("manifests" in document) return candidatesOf(read, document, { depth: depth + 1, names });
    const reference = text(record(document["config"])["digest"]);
    if (reference === null || !("layers" in document)) return [];
    const config = member(read, blobName(reference), reference);
    if (!("rootfs" in config)) return [];
    const platform = platformOf(config) ?? stated ?? "unknown";
    return [{ manifest: document, config, platform, names, digest }];
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
