/** `--jobs N`: the targets of one audit shared out to worker threads, each with this very program. */
import { Worker } from "node:worker_threads";
import type { TargetReport } from "../report/report.ts";
import { latin1 } from "./paths.ts";
import type { AuditCommandOptions } from "./prepare-audit.ts";

/** What a worker is given, and answers with: the reports of its files or images, or why the call is wrong usage. */
export interface Share {
  readonly files: readonly string[];
  readonly options: AuditCommandOptions;
}

export type ShareAnswer =
  | { readonly targets: readonly TargetReport[] }
  | { readonly misuse: string }
  | { readonly failed: string };

/** Told how many files are finished more, and how many there are. */
type Done = (files: number, of: number) => void;

/** Reports in the order of the images or files; `done` is told how many are finished. */
export async function auditInWorkers(
  whole: Share,
  jobs: number,
  done: Done,
): Promise<{ readonly targets: readonly TargetReport[] } | { readonly misuse: string }> {
  const shares = sharesOf(whole, jobs);
  const answers = await Promise.all(
    shares.map(async (share) => {
      const answer = await runWorker(share);
      done(sizeOf(share), sizeOf(whole));
      return answer;
    }),
  );
  const targets: TargetReport[] = [];
  for (const answer of answers) {
    if ("misuse" in answer) return answer;
    if ("failed" in answer) throw new Error(answer.failed);
    targets.push(...answer.targets);
  }
  return { targets: whole.options.image === undefined ? inOrder(targets, whole.files) : targets };
}

/** A file that is named twice has two reports. */
function inOrder(targets: readonly TargetReport[], files: readonly string[]): readonly TargetReport[] {
  const places = new Map<string, number[]>();
  for (const [at, file] of files.entries()) {
    const name = latin1(file);
    const named = places.get(name);
    if (named === undefined) places.set(name, [at]);
    else named.push(at);
  }
  return targets
    .map((target) => ({ target, at: places.get(target.path)?.shift() ?? files.length }))
    .sort((a, b) => a.at - b.at)
    .map(({ target }) => target);
}

/** How many there are to share out: images, or files. */
function sizeOf({ files, options }: Share): number {
  return options.image?.length ?? files.length;
}

function sharesOf({ files, options }: Share, jobs: number): readonly Share[] {
  const { image } = options;
  if (image === undefined) return filesInShares(files, jobs).map((share) => ({ files: share, options }));
  const most = Math.ceil(image.length / jobs);
  const imageThreads = Math.ceil(image.length / most);
  return Array.from({ length: imageThreads }, (_, index) => ({
    files,
    options: { ...options, imageThreads, image: image.slice(index * most, (index + 1) * most) },
  }));
}

/** A drop-in and the file that includes it stay together: one is read through the other. */
function filesInShares(files: readonly string[], jobs: number): readonly string[][] {
  const groups = new Map<string, string[]>();
  for (const file of files) {
    const folder = file.replace(/(?:^|\/)(?:sshd_config\.d\/)?[^/]*$/, "");
    groups.set(folder, [...(groups.get(folder) ?? []), file]);
  }
  const most = Math.ceil(files.length / jobs);
  const shares: string[][] = [[]];
  for (const group of groups.values()) {
    const last = shares.at(-1) ?? [];
    if (last.length > 0 && last.length + group.length > most) shares.push([...group]);
    else last.push(...group);
  }
  return shares;
}

function runWorker(share: Share): Promise<ShareAnswer> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(process.argv[1] ?? "", {
      argv: ["audit-share"],
      workerData: share,
      // else each thread's are piped into ours, which warns of so many listeners where its reader is slow
      stdout: true,
      stderr: true,
    });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}
