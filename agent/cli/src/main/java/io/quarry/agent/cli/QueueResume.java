package io.quarry.agent.cli;

import io.quarry.common.api.Committed;
import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Ends the pause of a fix. */
@Command(
    name = "resume",
    description = "Ends the pause of a fix; it goes on from its last checkpoint.",
    footer = {"", "Example:", "  quarry queue resume main FIX"})
final class QueueResume extends ApiCommand {
  @Mixin private FixArguments about = new FixArguments();

  @Override
  int run(StorageApi api, Output output) {
    Committed done = api.resumeFix(about.repo(), about.fix(), null);
    output.print(done, () -> "resumed " + about.fix());
    return Exit.DONE;
  }
}
