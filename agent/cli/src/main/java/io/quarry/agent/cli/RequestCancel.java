package io.quarry.agent.cli;

import io.quarry.common.api.RequestOutcome;
import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Settles the outcome of a call. */
@Command(
    name = "cancel",
    description = {
      "Settles what became of a call whose answer was lost (OUTCOME_UNKNOWN).",
      "Unless it was committed before, it never will be; what was committed stays."
    },
    footer = {"", "Example:", "  quarry request cancel main REQUEST"})
final class RequestCancel extends ApiCommand {
  @Parameters(index = "0", paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Parameters(
      index = "1",
      paramLabel = "REQUEST",
      description = "The call's request id, from the message of its error.")
  private String request = "";

  @Override
  int run(StorageApi api, Output output) {
    RequestOutcome outcome = api.cancelRequest(repo, request);
    output.print(
        outcome,
        () ->
            outcome.committed()
                ? "committed before, in commit %d: %s %s"
                    .formatted(outcome.commit(), outcome.operation(), outcome.id())
                : "cancelled " + request);
    return Exit.DONE;
  }
}
