package io.quarry.agent.cli;

import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.CheckReport;
import io.quarry.common.api.Fix;
import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Lists what a repository could do with. */
@Command(
    name = "check",
    description = {
      "Lists every fix that a repository could do with; changes nothing.",
      "With -o json the fixes come as quarry fix --fix takes them."
    },
    footer = {"", "Example:", "  quarry check main --deep"})
final class Check extends ApiCommand {
  @Parameters(paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Option(names = "--deep", description = "Read the data too.")
  private boolean deep;

  @Override
  int run(StorageApi api, Output output) {
    CheckReport report = api.checkStorageRepository(repo, new CheckOptions(deep, 0));
    output.print(report, () -> table(report));
    return Exit.DONE;
  }

  private static Object table(CheckReport report) {
    if (report.fixes().isEmpty()) {
      return "nothing to fix";
    }
    Table table = new Table("TYPE", "IMAGE", "STATE", ">TO MOVE", ">TO GAIN", "REASON");
    for (Fix fix : report.fixes()) {
      table.row(
          fix.type().label(),
          fix.imageId(),
          fix.state(),
          Units.bytes(fix.bytesToMove()),
          Units.bytes(fix.bytesToGain()),
          fix.lastError() == null
              ? fix.reason()
              : fix.reason() + "; last error: " + fix.lastError());
    }
    return table;
  }
}
