package io.quarry.agent.lab;

import io.quarry.agent.cli.Facts;
import io.quarry.agent.cli.Units;
import io.quarry.agent.demo.DemoReport;
import io.quarry.agent.demo.SdmFailover;
import io.quarry.agent.demo.Takeover;
import java.time.Duration;
import java.util.Locale;

/** The demo's report as text. */
final class DemoText {
  private DemoText() {}

  static String of(DemoReport report) {
    StringBuilder text = new StringBuilder("Timeline\n");
    report
        .timeline()
        .forEach(each -> text.append(DemoScreen.moment(each.at(), each.text())).append('\n'));
    Facts facts =
        new Facts()
            .fact(
                "  disk",
                Units.bytes(report.imageBytes())
                    + ", "
                    + Units.bytes(report.dataBytes())
                    + " of it data")
            .fact(
                "  compared",
                report.imagesCompared()
                    + " images, all equal to their source by qemu-img compare and by SHA-256");
    int number = 0;
    for (Takeover takeover : report.takeovers()) {
      facts.fact("  kill " + ++number, text(takeover));
    }
    facts
        .fact("  copied twice", Units.bytes(report.bytesCopiedTwice()) + " in all")
        .fact("  SDM kill", text(report.sdmFailover()))
        .fact(
            "  commit",
            "p50 %s, p99 %s of %d"
                .formatted(
                    millis(report.commitP50()), millis(report.commitP99()), report.commits()))
        .fact("  total", String.format(Locale.ROOT, "%.1f s", report.total().toMillis() / 1000.0));
    return text.append("\nFigures\n").append(facts).toString();
  }

  private static String text(Takeover takeover) {
    return "%s at %d %%: %s had a new claim after %s, went on from %s, copied %s twice"
        .formatted(
            takeover.killedHostId(),
            takeover.percentAtKill(),
            takeover.newHostId(),
            millis(takeover.killToClaim()),
            Units.bytes(takeover.bytesFrom()),
            Units.bytes(takeover.bytesCopiedTwice()));
  }

  private static String text(SdmFailover failover) {
    return "%s: %s was elected after %s, the next commit was answered after %s"
        .formatted(
            failover.killedHostId(),
            failover.newHostId(),
            millis(failover.killToSdm()),
            millis(failover.killToCommit()));
  }

  private static String millis(Duration duration) {
    return String.format(Locale.ROOT, "%.1f ms", duration.toNanos() / 1e6);
  }
}
