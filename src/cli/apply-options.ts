/** What a user may ask of a fix of the live host. */
export interface ApplyOptions {
  readonly dryRun?: boolean;
  /** false with --no-restart */
  readonly restart: boolean;
  readonly reload?: boolean;
  readonly restartCommand?: string;
  /** false with --no-validate */
  readonly validate: boolean;
  readonly force?: boolean;
  readonly probe?: boolean;
  /** seconds; 0: not asked for */
  readonly confirm?: number;
}
