package io.quarry.agent.cli;

import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Fix;
import io.quarry.common.api.FixQueued;
import io.quarry.common.api.FixRequest;
import io.quarry.common.api.StorageApi;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.FixType;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Starts fixes that a check has found. */
@Command(
    name = "fix",
    description = "Starts fixes that quarry check found, and waits for them.",
    footer = {
      "",
      "Examples:",
      "  quarry fix main --all",
      "  quarry fix main --type mend,clean",
      "  quarry check main -o json | jq .fixes[0] | quarry fix main --fix -"
    })
final class FixCommand extends ApiCommand {
  private static final String PAUSED = "paused";

  @Parameters(paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Option(names = "--all", description = "Everything that check finds now and that is not paused.")
  private boolean all;

  @Option(
      names = "--type",
      split = ",",
      paramLabel = "TYPE",
      converter = Labels.OfFixType.class,
      description = "Everything of these types: mend, optimize, merge, clean.")
  private List<FixType> types = List.of();

  @Option(
      names = "--fix",
      paramLabel = "FILE",
      description = "What check -o json printed, whole or one fix of it; - reads standard input.")
  private @Nullable String file;

  @Mixin private WaitOptions wait = new WaitOptions();

  @Override
  int run(StorageApi api, Output output) {
    List<FixQueued> queued = new ArrayList<>();
    for (Fix fix : wanted(api, output)) {
      try {
        queued.add(api.fixStorageRepository(repo, new FixRequest(fix), null));
      } catch (StorageException e) {
        if (file != null || e.code() != ErrorCode.FIX_STALE) {
          throw e;
        }
        // A host has done the fix between the check and this call.
      }
    }
    int exit =
        wait.waits()
            ? new FixWait(api, main().shell(), output).until(repo, queued, wait.timeout())
            : Exit.DONE;
    output.print(queued, () -> text(queued, exit));
    return exit;
  }

  private List<Fix> wanted(StorageApi api, Output output) {
    if (file != null) {
      if (all || !types.isEmpty()) {
        throw badUsage("--fix names the fixes itself: leave out --all and --type.");
      }
      return FixFile.read(file, main().shell().in());
    }
    if (!all && types.isEmpty()) {
      throw badUsage("Say which fixes: --all, --type or --fix.");
    }
    List<Fix> found =
        api.checkStorageRepository(repo, CheckOptions.DEFAULT).fixes().stream()
            .filter(fix -> types.isEmpty() || types.contains(fix.type()))
            .toList();
    List<Fix> paused = found.stream().filter(fix -> fix.state().equals(PAUSED)).toList();
    if (!paused.isEmpty()) {
      output.remark(
          "%s left alone; see quarry queue list %s"
              .formatted(Units.count(paused.size(), "paused fix", "paused fixes"), repo));
    }
    return found.stream().filter(fix -> !fix.state().equals(PAUSED)).toList();
  }

  private String text(List<FixQueued> queued, int exit) {
    if (queued.isEmpty()) {
      return "nothing to fix";
    }
    if (!wait.waits()) {
      return String.join("\n", queued.stream().map(FixQueued::fixId).toList());
    }
    return exit == Exit.DONE ? "fixed " + queued.size() : "";
  }
}
