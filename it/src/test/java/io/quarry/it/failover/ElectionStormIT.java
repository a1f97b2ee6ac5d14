package io.quarry.it.failover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Fix;
import io.quarry.common.api.FixRequest;
import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.ImageState;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The SDM's host is killed again and again under load: each call must have one effect or none. An
 * SDM that planned repeated requests as new ones would make two disks for some calls.
 */
@Timeout(600)
@SuppressWarnings("SystemOut")
final class ElectionStormIT {
  private static final Duration SESSION = Duration.ofSeconds(15);
  private static final Duration STORM =
      Duration.ofSeconds(Integer.getInteger("quarry.it.stormSeconds", 30));
  private static final Duration KILL_EVERY = Duration.ofSeconds(2);
  private static final int CALLERS = 200;
  private static final Duration CALL_MAX = Duration.ofSeconds(10);
  private static final Duration SHRINKS_WITHIN = Duration.ofSeconds(30);
  private static final Duration POLL = Duration.ofMillis(250);
  private static final long SMALL_DISK_BYTES = 64 << 10;

  /** Even on a busy machine the storm must hit more than a few calls. */
  private static final int ACKNOWLEDGED_MIN = 100;

  @TempDir private Path directory;

  /** The outcome of each call, by request id, which is also the label of the disk. */
  private final Map<String, String> acknowledged = new ConcurrentHashMap<>();

  private final Map<String, StorageException> errors = new ConcurrentHashMap<>();
  private final AtomicInteger kills = new AtomicInteger();

  @Test
  void eachCallHasOneEffectOrNone() throws Exception {
    try (ThreeHosts hosts = ThreeHosts.start(directory, SESSION, 0)) {
      long started = System.nanoTime();
      try (StorageClient client = hosts.clientWithin(CALL_MAX, hosts.cluster().hosts())) {
        storm(hosts, client);
      }
      double seconds = (System.nanoTime() - started) / 1e9;
      System.out.printf(
          "Storm of %.0f s: %d calls, %d acknowledged, errors %s, %d kills, %.0f commits/s%n",
          seconds,
          acknowledged.size() + errors.size(),
          acknowledged.size(),
          errors.values().stream()
              .collect(Collectors.groupingBy(StorageException::code, Collectors.counting())),
          kills.get(),
          acknowledged.size() / seconds);
      hosts.awaitWhole();
      assertThat(acknowledged).hasSizeGreaterThan(ACKNOWLEDGED_MIN);

      Map<String, String> found = imagesByLabel(hosts);
      assertThat(found).containsAllEntriesOf(acknowledged);
      assertThat(errors.values())
          .as("codes that a caller may get in an election")
          .allMatch(error -> error.code().retryable());
      assertThat(errors.entrySet())
          .filteredOn(error -> error.getValue().code() != ErrorCode.OUTCOME_UNKNOWN)
          .allSatisfy(error -> assertThat(found).doesNotContainKey(error.getKey()));

      assertRepeatsAddNothing(hosts, found);
      awaitNothingLeft(hosts);
    }
  }

  private void storm(ThreeHosts hosts, StorageClient client) throws Exception {
    long end = System.nanoTime() + STORM.toNanos();
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
        ScheduledExecutorService killer = Executors.newSingleThreadScheduledExecutor()) {
      var killing =
          killer.scheduleAtFixedRate(
              () -> killSdm(hosts),
              KILL_EVERY.toMillis(),
              KILL_EVERY.toMillis(),
              TimeUnit.MILLISECONDS);
      for (int caller = 0; caller < CALLERS; caller++) {
        var _ =
            callers.submit(() -> {
              while (System.nanoTime() < end) {
                call(client);
              }
            });
      }
      callers.shutdown();
      assertThat(
              callers.awaitTermination(
                  STORM.plus(ThreeHosts.PATIENCE).toSeconds(), TimeUnit.SECONDS))
          .isTrue();
      assertThat(killing.isDone()).as("a kill failed").isFalse();
      killing.cancel(false);
    }
  }

  private void call(StorageClient client) {
    String requestId = UUID.randomUUID().toString();
    try {
      String id =
          ThreeHosts.createDisk(client, ThreeHosts.MAIN, SMALL_DISK_BYTES, requestId).imageId();
      acknowledged.put(requestId, id);
    } catch (StorageException e) {
      errors.put(requestId, e);
    }
  }

  /** Does nothing while there is no SDM; the next round kills one. */
  private void killSdm(ThreeHosts hosts) {
    try (StorageClient client = hosts.clientWithin(KILL_EVERY, hosts.cluster().hosts())) {
      var sdm = ThreeHosts.sdm(client, ThreeHosts.MAIN);
      if (sdm.isPresent()) {
        hosts.named(sdm.get()).killAgent();
        kills.incrementAndGet();
      }
    } catch (StorageException nobodyAnswers) {
      // All agents may be starting.
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The images by label; no label may occur twice. */
  private static Map<String, String> imagesByLabel(ThreeHosts hosts) {
    Map<String, String> found = new HashMap<>();
    for (ImageInfo image : hosts.allImages(ThreeHosts.MAIN)) {
      String label = image.userData().path("label").asText();
      assertThat(found.put(label, image.imageId())).as("another image of %s", label).isNull();
    }
    return found;
  }

  private void assertRepeatsAddNothing(ThreeHosts hosts, Map<String, String> found)
      throws Exception {
    Map<String, String> again = new ConcurrentHashMap<>();
    List<String> repeated =
        errors.entrySet().stream()
            .filter(error -> error.getValue().code() == ErrorCode.OUTCOME_UNKNOWN)
            .map(Map.Entry::getKey)
            .collect(Collectors.toCollection(ArrayList::new));
    repeated.addAll(acknowledged.keySet());
    try (ExecutorService callers = Executors.newFixedThreadPool(CALLERS)) {
      for (String requestId : repeated) {
        var _ =
            callers.submit(() ->
                again.put(
                    requestId,
                    ThreeHosts.createDisk(
                            hosts.everywhere(), ThreeHosts.MAIN, SMALL_DISK_BYTES, requestId)
                        .imageId()));
      }
    }
    assertThat(again.keySet()).as("repeated calls that succeeded").hasSize(repeated.size());
    Map<String, String> expected = new HashMap<>(again);
    expected.putAll(found);
    assertThat(imagesByLabel(hosts)).isEqualTo(expected);
    assertThat(again).containsAllEntriesOf(acknowledged);
  }

  /** Fixes of killed hosts go through the queue; a backlog is fine as long as it shrinks. */
  private static void awaitNothingLeft(ThreeHosts hosts) {
    StorageClient client = hosts.everywhere();
    int atFirst = outstanding(client);
    int before = atFirst;
    long started = System.nanoTime();
    while (before > 0) {
      int last = before;
      before =
          await("fewer than " + last + " things left to do")
              .atMost(SHRINKS_WITHIN)
              .pollInterval(POLL)
              .until(() -> outstanding(client), left -> left < last);
    }
    double seconds = (System.nanoTime() - started) / 1e9;
    System.out.printf("Left to mend after the storm: %d, took %.1f s%n", atFirst, seconds);
    removeOrphans(client);
    assertThat(hosts.allImages(ThreeHosts.MAIN))
        .allMatch(image -> image.state() == ImageState.OPTIMIZED);
  }

  /**
   * A host leaves a file behind when it is killed after writing a volume whose other epoch was
   * published. Check must find such files, and no other problem.
   */
  private static void removeOrphans(StorageClient client) {
    for (Fix orphan : found(client)) {
      assertThat(orphan.imageId()).as("%s", orphan).isNull();
      client.fixStorageRepository(ThreeHosts.MAIN, new FixRequest(orphan), null);
    }
    await("nothing to fix")
        .atMost(SHRINKS_WITHIN)
        .pollInterval(POLL)
        .untilAsserted(() -> assertThat(found(client)).isEmpty());
  }

  private static List<Fix> found(StorageClient client) {
    return client.checkStorageRepository(ThreeHosts.MAIN, CheckOptions.DEFAULT).fixes();
  }

  private static int outstanding(StorageClient client) {
    return client.getStorageRepository(ThreeHosts.MAIN).fixes();
  }
}
