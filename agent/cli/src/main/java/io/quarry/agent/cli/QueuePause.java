package io.quarry.agent.cli;

import io.quarry.common.api.Committed;
import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Pauses a fix. */
@Command(
    name = "pause",
    description = {
      "Pauses a fix: the host that works on it lets go at a checkpoint, and no host takes it.",
      "quarry queue resume ends the pause."
    },
    footer = {"", "Example:", "  quarry queue pause main FIX"})
final class QueuePause extends ApiCommand {
  @Mixin private FixArguments about = new FixArguments();

  @Override
  int run(StorageApi api, Output output) {
    Committed done = api.pauseFix(about.repo(), about.fix(), null);
    output.print(done, () -> "paused " + about.fix());
    return Exit.DONE;
  }
}
