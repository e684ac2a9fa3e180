// `decorator-framework/transfer`: what an engine holds, as one file and into another engine.
export { backup, migrate, restore, undoMigrate } from "./transfer.ts";

// What they take and give.
export type {
  BackupOptions,
  Carried,
  MigrateOptions,
  RestoreOptions,
  UndoMigrateOptions,
} from "./transfer.ts";

// What is wrong with a file.
export { BackupError } from "../errors.ts";
