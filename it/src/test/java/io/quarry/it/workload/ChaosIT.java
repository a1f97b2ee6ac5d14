package io.quarry.it.workload;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.chaos.Chaos;
import io.quarry.agent.chaos.ChaosOptions;
import io.quarry.agent.chaos.ChaosReport;
import io.quarry.agent.chaos.FaultNames;
import io.quarry.agent.chaos.ReportText;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A short run of {@code quarry chaos}: processes are killed and paused while clients use the
 * cluster. Afterwards judges examine every answer and every byte.
 */
@Timeout(600)
@SuppressWarnings("SystemOut")
final class ChaosIT {
  private static final long SEED = Long.getLong("quarry.seed", 11);
  private static final Duration DURATION =
      Duration.ofSeconds(Long.getLong("quarry.it.chaosSeconds", 15));
  private static final int HOSTS = 3;
  private static final int CLIENTS = 6;

  @TempDir private Path directory;

  @Test
  void clusterKeepsItsWordWhateverIsKilled() throws Exception {
    ChaosOptions options =
        new ChaosOptions(
            SEED,
            DURATION,
            HOSTS,
            CLIENTS,
            ChaosOptions.PACE,
            FaultNames.parse("all"),
            directory,
            false);
    ChaosReport report;
    try (Chaos.Local chaos = new Chaos.Local()) {
      report =
          chaos.run(options, directory, moment -> System.out.println(ReportText.moment(moment)));
    }
    System.out.print(ReportText.of(report));
    assertThat(report.violations()).as("seed %d", SEED).isEmpty();
    assertThat(report.kills()).isPositive();
    assertThat(report.acknowledged()).isPositive();
    assertThat(report.compared()).isPositive();
  }
}
