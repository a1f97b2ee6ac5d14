package io.quarry.it.failover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.agent.dev.LocalHost;
import io.quarry.common.api.Event;
import io.quarry.common.api.EventStream;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A watcher is told of each commit once, whichever agents die. When the log no longer has some
 * commits, the watcher is told that.
 */
@Timeout(300)
final class EventsIT {
  private static final Duration SESSION = Duration.ofSeconds(5);
  private static final int DISKS = 90;
  private static final long DISK_BYTES = 64 << 10;
  private static final long MIB = 1L << 20;
  private static final int CHECKPOINT_RECORDS = 20;

  @TempDir static Path directory;

  private static ThreeHosts hosts;

  @BeforeAll
  static void start() throws Exception {
    hosts = ThreeHosts.start(directory, SESSION, 0);
  }

  @AfterAll
  static void stop() {
    if (hosts != null) {
      hosts.close();
    }
  }

  @Test
  void streamGoesOnAtAnotherAgentWithoutLossOrRepetition() throws Exception {
    List<LocalHost> all = hosts.cluster().hosts();
    StorageClient watcher = hosts.clientWithin(ThreeHosts.PATIENCE, all);
    StorageClient maker = hosts.clientWithin(ThreeHosts.PATIENCE, all.reversed());
    Told told = new Told();
    try (EventStream events = watcher.watchEvents(null)) {
      String start = Objects.requireNonNull(next(events).eventId());
      for (int disk = 0; disk < DISKS; disk++) {
        if (disk == DISKS / 3) {
          all.get(0).killHost();
        } else if (disk == 2 * DISKS / 3) {
          all.get(1).killAgent();
        }
        ThreeHosts.createDisk(maker, ThreeHosts.MAIN, DISK_BYTES, "disk-" + disk);
        if (disk % 7 == 0) {
          told.listen(events, "disk-" + disk);
        }
      }
      told.listen(events, "disk-" + (DISKS - 1));
      told.assertEachOnce(DISKS);

      Told again = new Told();
      StorageClient last = hosts.of(all.get(2));
      try (EventStream replayed = last.watchEvents(start)) {
        assertThat(next(replayed)).isEqualTo(new Event.Start(start));
        again.listen(replayed, "disk-" + (DISKS - 1));
      }
      assertThat(again.of(ThreeHosts.MAIN))
          .startsWith(told.of(ThreeHosts.MAIN).toArray(Event.Commit[]::new));

      Told whole = new Told();
      try (EventStream replayed = last.watchEvents("0")) {
        assertThat(next(replayed)).isInstanceOf(Event.Start.class);
        whole.listen(replayed, "disk-" + (DISKS - 1));
      }
      assertThat(whole.of(ThreeHosts.MAIN).getFirst().commit()).isEqualTo(1);
      whole.assertEachOnce(DISKS);
    }
    all.get(0).start();
    hosts.awaitWhole();
  }

  @Test
  void silentAgentIsLeft() throws Exception {
    List<LocalHost> all = hosts.cluster().hosts();
    StorageClient maker = hosts.clientWithin(ThreeHosts.PATIENCE, all.subList(1, 3));
    Told told = new Told();
    try (EventStream events = hosts.clientWithin(ThreeHosts.PATIENCE, all).watchEvents(null)) {
      assertThat(next(events)).isInstanceOf(Event.Start.class);
      ThreeHosts.createDisk(maker, ThreeHosts.MAIN, DISK_BYTES, "before");
      told.listen(events, "before");
      all.get(0).pauseAgent();
      try {
        ThreeHosts.createDisk(maker, ThreeHosts.MAIN, DISK_BYTES, "meanwhile");
        told.listen(events, "meanwhile");
        told.assertEachOnce(List.of("before", "meanwhile"));
      } finally {
        all.get(0).resumeAgent();
      }
    }
    hosts.awaitWhole();
  }

  @Test
  void freedCommitsAreReportedByAReset(@TempDir Path pair) throws Exception {
    LocalClusterOptions options =
        LocalClusterOptions.in(pair)
            .withHosts(2)
            .withJavaOptions(
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Dquarry.checkpoint.records=" + CHECKPOINT_RECORDS);
    try (Box box = Box.start(options)) {
      box.connect("main");
      box.awaitSdm("main", 0, 1);
      StorageClient client = box.client(0);
      try (EventStream events = client.watchEvents(null)) {
        String start = Objects.requireNonNull(next(events).eventId());
        Told told = new Told();
        for (int disk = 0; disk < DISKS; disk++) {
          ThreeHosts.createDisk(client, "main", DISK_BYTES, "disk-" + disk);
          told.listen(events, "disk-" + disk);
        }
        told.assertEachOnce(DISKS);
        long newest = told.of("main").getLast().commit();
        // A reset names the last commit that the log has freed; the watcher gets all later ones.
        await()
            .atMost(Box.PATIENCE)
            .until(() -> box.client(1).getStorageRepository("main").commit() >= newest);
        for (String since : List.of(start, "0")) {
          try (EventStream late = box.client(1).watchEvents(since)) {
            Event.Reset reset = (Event.Reset) until(late, Event.Reset.class::isInstance);
            assertThat(reset.repoId()).isEqualTo("main");
            assertThat(reset.commit()).isPositive().isLessThan(newest);
            ThreeHosts.createDisk(client, "main", DISK_BYTES, "after-" + since);
            assertNoneLeftOut(late, reset.commit() + 1, newest + 1);
          }
        }

        client.disconnectStorageRepository("main");
        ThreeHosts.createDisk(box.client(1), "main", DISK_BYTES, "meanwhile");
        box.connect("main", 0);
        ThreeHosts.createDisk(client, "main", DISK_BYTES, "again");
        told.listen(events, "again");
        told.assertEachOnce(DISKS);

        box.connect("far");
        box.awaitSdm("far", 0, 1);
        Event joined =
            until(
                events,
                event -> event instanceof Event.Reset reset && reset.repoId().equals("far"));
        assertThat(joined.eventId()).isNotEqualTo(start);
        assertProgress(box, events);
      }
      assertThatThrownBy(() -> client.watchEvents("nonsense")).isInstanceOf(StorageException.class);
    }
  }

  /** Each commit is told, or a reset says that the log has freed the commit meanwhile. */
  private static void assertNoneLeftOut(EventStream events, long first, long last)
      throws Exception {
    long due = first;
    while (due <= last) {
      Event next =
          until(events, event -> event instanceof Event.Commit || event instanceof Event.Reset);
      if (next instanceof Event.Reset reset) {
        assertThat(reset.commit()).isGreaterThanOrEqualTo(due);
        due = reset.commit() + 1;
      } else {
        assertThat(((Event.Commit) next).commit()).isEqualTo(due);
        due++;
      }
    }
  }

  private static void assertProgress(Box box, EventStream events) throws Exception {
    String source = Copying.source(box.client(0), "main", 2, MIB);
    box.client(0).setThrottle(MIB);
    box.client(1).setThrottle(MIB);
    Copying copy = Copying.start(box, box.client(0), "far", source);
    until(
        events,
        event ->
            event instanceof Event.Progress progress
                && "far".equals(progress.task().repoId())
                && copy.imageId().equals(progress.task().imageId()));
  }

  private static Event next(EventStream events) {
    return Objects.requireNonNull(events.next(ThreeHosts.PATIENCE), "an event");
  }

  private static Event until(EventStream events, Predicate<Event> wanted) {
    Event event = next(events);
    while (!wanted.test(event)) {
      event = next(events);
    }
    return event;
  }

  /** The events that one watcher has received. */
  private static final class Told {
    private final Map<String, List<Event.Commit>> commits = new HashMap<>();

    List<Event.Commit> of(String repoId) {
      return commits.getOrDefault(repoId, List.of()).stream()
          .map(commit -> commit.with(null))
          .toList();
    }

    /** Listens until the event of that request. */
    void listen(EventStream events, String requestId) {
      while (requests().noneMatch(requestId::equals)) {
        switch (next(events)) {
          case Event.Commit commit ->
              commits.computeIfAbsent(commit.repoId(), key -> new ArrayList<>()).add(commit);
          case Event.Progress _ -> {}
          case Event.Start start -> throw new AssertionError("started again: " + start);
          case Event.Reset reset -> throw new AssertionError("lost: " + reset);
        }
      }
    }

    private java.util.stream.Stream<String> requests() {
      return commits.values().stream()
          .flatMap(List::stream)
          .flatMap(commit -> commit.operations().stream())
          .map(Event.Operation::requestId);
    }

    void assertEachOnce(int disks) {
      assertEachOnce(IntStream.range(0, disks).mapToObj(disk -> "disk-" + disk).toList());
    }

    void assertEachOnce(List<String> requestIds) {
      commits
          .values()
          .forEach(list -> {
            for (int i = 1; i < list.size(); i++) {
              assertThat(list.get(i).commit()).isEqualTo(list.get(i - 1).commit() + 1);
            }
          });
      assertThat(requests()).containsOnlyOnceElementsOf(requestIds);
    }
  }
}
