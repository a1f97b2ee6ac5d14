package io.quarry.agent.cli;

import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.CheckReport;
import io.quarry.common.api.CheckReport.Reading;
import io.quarry.common.api.Fix;
import io.quarry.common.api.Problem;
import io.quarry.common.api.StorageApi;
import java.util.List;
import java.util.Objects;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Lists the fixes that a repository could use, and its problems. */
@Command(
    name = "check",
    description = {
      "Lists every fix that a repository could do with, and the problems that no fix puts right;"
          + " changes nothing.",
      "With -o json the fixes come as quarry fix --fix takes them."
    },
    footer = {
      "",
      "Examples:",
      "  quarry check main --deep",
      "  quarry check main --exit-code || mail -s 'look at main' root"
    })
final class CheckCommand extends ApiCommand {
  @Parameters(paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Option(
      names = "--deep",
      description = {
        "Read the data too: what qcow2 files say of themselves, and every byte that is stored.",
        "What is open for writing is left out. Ctrl-C ends it."
      })
  private boolean deep;

  @Option(
      names = "--exit-code",
      description = "Exit with 4 if there is anything to fix or any problem, and 0 if not.")
  private boolean exitCode;

  @Override
  int run(StorageApi api, Output output) {
    CheckReport report = check(api, output);
    output.print(report, () -> text(report));
    boolean found = !report.fixes().isEmpty() || !report.problems().isEmpty();
    return exitCode && found ? Exit.FOUND : Exit.DONE;
  }

  /** A deep check comes in parts. */
  private CheckReport check(StorageApi api, Output output) {
    CheckReport report = api.checkStorageRepository(repo, new CheckOptions(deep, null, 0));
    try (ProgressLine line = new ProgressLine(output.err(), main().shell())) {
      for (String next = report.next(); next != null; next = report.next()) {
        Reading reading = Objects.requireNonNull(report.reading());
        line.advance("reading", new Done(reading.bytesDone(), reading.bytesTotal()));
        report = report.and(api.checkStorageRepository(repo, new CheckOptions(true, next, 0)));
      }
    }
    return report;
  }

  private static Object text(CheckReport report) {
    String found = report.fixes().isEmpty() ? "nothing to fix" : table(report.fixes()).toString();
    if (!report.problems().isEmpty()) {
      found = found.stripTrailing() + "\n\n" + problems(report.problems());
    }
    return report.omitted() == null
        ? found
        : found.stripTrailing()
            + "\n\n"
            + report.omitted()
            + " less urgent findings are left out; fix these and check again";
  }

  private static Table table(List<Fix> fixes) {
    Table table = new Table("TYPE", "IMAGE", "STATE", ">TO MOVE", ">TO GAIN", "REASON");
    for (Fix fix : fixes) {
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

  private static Table problems(List<Problem> problems) {
    Table table = new Table("PROBLEM", "IMAGE", "ABOUT", "REASON", "WHAT TO DO");
    for (Problem problem : problems) {
      boolean same = problem.subject().equals(problem.imageId());
      table.row(
          problem.kind().label(),
          problem.imageId(),
          same ? null : problem.subject(),
          problem.reason(),
          problem.remedy());
    }
    return table;
  }
}
