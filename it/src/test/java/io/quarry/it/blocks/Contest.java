package io.quarry.it.blocks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.storage.block.BlockSlotStore;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.CommitLog.Outcome;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.log.LogUnreadableException;
import io.quarry.it.blocks.FlawedDevice.Flaw;
import io.quarry.it.log.LogJudge;
import io.quarry.it.log.SharedLog;
import io.quarry.it.vm.GuestJava;
import io.quarry.it.vm.LabVm;
import io.quarry.it.vm.SharedDisk;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.awaitility.core.ConditionTimeoutException;

/** Two hosts that commit to the log on their disk, by turns. */
final class Contest {
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  private final List<LabVm> hosts;
  private final Flaw flaw;
  private final Map<LabVm, GuestJava> committers = new HashMap<>();

  Contest(SharedDisk disk, Flaw flaw) {
    this.hosts = disk.hosts();
    this.flaw = flaw;
  }

  void startAll() throws Exception {
    for (LabVm host : hosts) {
      start(host);
    }
  }

  /** Only the first host remembers its slot. */
  void start(LabVm host) throws Exception {
    String place = host.equals(hosts.getFirst()) ? SharedDisk.OWN : "/dev/null";
    committers.put(
        host,
        host.reporting(
            BlockCommitter.class, host.name(), Integer.toString(host.boots()), place, flaw.name()));
  }

  /** Waits for more acknowledged commits at a host. */
  void awaitMore(LabVm host, int commits) throws IOException {
    int before = host.reported("ACKNOWLEDGED").size();
    awaitCommits(() -> host.reported("ACKNOWLEDGED").size() >= before + commits);
  }

  /** Waits until all hosts together have so many acknowledged commits. */
  void awaitTotal(int commits) {
    awaitCommits(() -> acknowledged().size() >= commits);
  }

  private void awaitCommits(Callable<Boolean> enough) {
    try {
      await().atMost(PATIENCE).pollInterval(Duration.ofMillis(200)).until(enough);
    } catch (ConditionTimeoutException e) {
      throw new AssertionError(describe(), e);
    }
  }

  /** What the hosts that run can tell. */
  private String describe() {
    return committers.entrySet().stream()
        .filter(each -> each.getKey().isRunning())
        .map(each -> each.getValue().describe())
        .collect(Collectors.joining("\n"));
  }

  List<String> acknowledged() throws IOException {
    return ids("ACKNOWLEDGED");
  }

  private List<String> ids(String word) throws IOException {
    List<String> ids = new ArrayList<>();
    for (LabVm host : hosts) {
      host.reported(word).forEach(line -> ids.add(line.split(" ", 2)[0]));
    }
    return ids;
  }

  /** Leads the log, which no other host does any more, and reads it. */
  LogJudge judge(Path image) throws IOException {
    List<String> acknowledged = ids("ACKNOWLEDGED");
    List<String> refused = ids("REFUSED");
    System.out.printf(
        "acknowledged %d, refused %d, unknown %d%n",
        acknowledged.size(), refused.size(), ids("UNKNOWN").size());
    try (BlockSlotStore judge = SharedLog.open(image, "judge")) {
      Outcome term = new CommitLog(judge, "judge").beginTerm(LogState.EMPTY, Instant.now());
      assertThat(term).isInstanceOf(Outcome.Committed.class);
    } catch (LogUnreadableException e) {
      return new LogJudge(List.of(), List.of(), List.of(String.valueOf(e.getMessage())));
    }
    try (BlockSlotStore fresh = SharedLog.open(image, "reader")) {
      return LogJudge.judge(fresh, acknowledged, refused);
    }
  }
}
