package io.quarry.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.Progress;
import java.net.URI;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class MainTest {
  private static final URI ONE = URI.create("http://one:7070");
  private static final URI TWO = URI.create("http://two:7070");

  @Test
  void versionNamesTheProgram() {
    assertThat(new Console(false, Map.of()).run("quarry --version").out()).startsWith("quarry ");
  }

  @Test
  void agentsComeFromTheOptionThenTheEnvironmentThenTheDefault() {
    Console console = new Console(false, Map.of("QUARRY_AGENTS", ONE + "," + TWO));
    console.run("quarry repo list");
    console.run("quarry repo list --agent http://two:7070");
    console.run("quarry --agent http://two:7070,http://one:7070 repo list");
    console.run("quarry repo list --agent 'http://one:7070, http://two:7070,'");
    Console bare = new Console(false, Map.of());
    bare.run("quarry repo list");
    assertThat(console.asked)
        .containsExactly(List.of(ONE, TWO), List.of(TWO), List.of(TWO, ONE), List.of(ONE, TWO));
    assertThat(bare.asked).containsExactly(List.of(URI.create("http://127.0.0.1:7070")));
  }

  @Test
  void callerThatNamedNoAgentIsToldHow() {
    Map<String, String> variable = Map.of("QUARRY_AGENTS", ONE.toString());
    for (Map<String, String> environment : List.of(variable, Map.<String, String>of())) {
      Console console = new Console(false, environment);
      console.storage.trouble =
          new StorageException(
              ErrorCode.AGENT_UNAVAILABLE, "no agent answers", "agents", "Start one.");
      console.storage.troubles = 1;
      String err = console.run("quarry image status main disk-1").err();
      assertThat(err.contains("--agent URL or in QUARRY_AGENTS")).isEqualTo(environment.isEmpty());
    }
  }

  @Test
  void connectingOnHostsAsksEachHostsAgent() {
    Console console = new Console(false, Map.of());
    console.run("quarry repo connect main --format localfs-1.0 --on all");
    assertThat(console.asked)
        .containsExactly(
            List.of(URI.create("http://127.0.0.1:7070")),
            List.of(URI.create("http://127.0.0.1:7071")),
            List.of(URI.create("http://127.0.0.1:7072")));
  }

  @Test
  void onlyDebugPrintsStackTraces() {
    Console console = new Console(false, Map.of());
    assertThat(console.run("quarry throttle 13").err()).doesNotContain("\tat ");
    assertThat(console.run("quarry throttle 13 --debug").err()).contains("\tat io.quarry");
  }

  @Test
  void completionKnowsEveryCommand() {
    String script = new Console(false, Map.of()).run("quarry completion").out();
    assertThat(script).contains("disconnect", "download", "throttle", "--no-wait");
  }

  @Test
  void terminalsSeeABar() {
    Console console = new Console(true, Map.of());
    console.run("quarry repo connect main --format localfs-1.0");
    Console.Result result = console.run("quarry disk create main 1G");
    assertThat(result.out()).isEqualTo("disk-1\n");
    assertThat(result.err())
        .contains(
            "\r"
                + "\u001b[K\u001b[?7lbroken  [######------------------]  1/2 copy   25 %  256 MiB"
                + " of 1 GiB")
        .contains("on host-1\u001b[?7h")
        .endsWith("\r\u001b[K");
  }

  @Test
  void barTellsRateAndTimeLeft() {
    Rate rate = new Rate();
    rate.add(0, 0);
    rate.add(2_000_000_000L, 200L << 20);
    Progress progress =
        new Progress("host-1", "2/4", "copy", 20, 200L << 20, 1000L << 20, null, Instant.EPOCH);
    assertThat(Bar.draw(progress, rate))
        .isEqualTo(
            "[####--------------------]  2/4 copy   20 %  200 MiB of 1000 MiB  100 MiB/s  ETA 0:08"
                + "  on host-1");
  }
}
