package io.quarry.agent.cli;

/** How much of something this command itself has done, in bytes. */
record Done(long bytes, long total) {
  int percent() {
    return total == 0 ? 100 : (int) (bytes * 100.0 / total);
  }
}
