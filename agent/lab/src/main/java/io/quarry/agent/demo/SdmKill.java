package io.quarry.agent.demo;

import io.quarry.agent.demo.Cluster.Member;
import io.quarry.agent.demo.TaskWatch.Sighting;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.StorageApi;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Kills the SDM of a repository and measures how soon another one commits. */
final class SdmKill {
  private static final Duration ELECTION_MAX = Duration.ofSeconds(40);
  private static final Duration EVERY = Duration.ofMillis(5);

  private record Elected(String hostId, long nanos) {}

  private final Scene scene;
  private final DemoHosts hosts;

  SdmKill(Scene scene, DemoHosts hosts) {
    this.scene = scene;
    this.hosts = hosts;
  }

  /**
   * @param snapshot in the main repository, to open and close
   */
  SdmFailover kill(String snapshot, TaskWatch watch)
      throws IOException, InterruptedException, DemoFailure {
    String victim = sdm(scene.api());
    if (victim == null) {
      throw new DemoFailure("The main repository has no SDM");
    }
    Sighting before = watch.last();
    long killed = System.nanoTime();
    scene.cluster().kill(victim);
    boolean copies = before != null && before.hostId().equals(victim);
    scene
        .timeline()
        .add(
            killed,
            "killed the SDM's agent of " + victim + (copies ? ", which copied as well" : ""));
    CompletableFuture<Long> committed =
        CompletableFuture.supplyAsync(() -> commit(snapshot, victim), Thread.ofVirtual()::start);
    Elected elected = awaitElection(victim);
    Duration killToCommit;
    try {
      killToCommit = Duration.ofNanos(committed.get() - killed);
    } catch (ExecutionException e) {
      throw new DemoFailure("No commit after the death of the SDM: " + e.getCause());
    }
    Duration killToSdm = Duration.ofNanos(elected.nanos() - killed);
    scene
        .timeline()
        .add(
            "%s is the new SDM after %s; the next commit took %s"
                .formatted(
                    elected.hostId(),
                    DemoFigures.millis(killToSdm),
                    DemoFigures.millis(killToCommit)));
    hosts.awaitReturn(victim);
    return new SdmFailover(Scene.MAIN, victim, elected.hostId(), killToSdm, killToCommit);
  }

  /** Opens the snapshot on a surviving host; returns when the host has answered. */
  private long commit(String snapshot, String victim) {
    List<URI> agents =
        scene.cluster().members().stream()
            .filter(member -> !member.hostId().equals(victim))
            .map(Member::agent)
            .toList();
    try (StorageClient survivors = new StorageClient(agents)) {
      OpenRequest reading = new OpenRequest(true, DemoImages.OWNER);
      OpenedImage opened = survivors.openImage(Scene.MAIN, snapshot, reading, null);
      long answered = System.nanoTime();
      survivors.closeImage(Scene.MAIN, snapshot, opened.openId(), null);
      return answered;
    }
  }

  private Elected awaitElection(String victim) throws InterruptedException, DemoFailure {
    AtomicReference<@Nullable Elected> elected = new AtomicReference<>();
    Thread[] askers =
        scene.hosts().entrySet().stream()
            .filter(host -> !host.getKey().equals(victim))
            .map(host -> Thread.ofVirtual().start(() -> ask(host.getValue(), victim, elected)))
            .toArray(Thread[]::new);
    try {
      Waiting.until("a new SDM", ELECTION_MAX, () -> elected.get() != null);
    } finally {
      for (Thread asker : askers) {
        asker.interrupt();
      }
    }
    Elected found = elected.get();
    if (found == null) {
      throw new DemoFailure("No new SDM");
    }
    return found;
  }

  private void ask(StorageApi host, String victim, AtomicReference<@Nullable Elected> elected) {
    try {
      while (elected.get() == null) {
        try {
          String now = sdm(host);
          if (now != null && !now.equals(victim)) {
            elected.compareAndSet(null, new Elected(now, System.nanoTime()));
          }
        } catch (StorageException e) {
          // The loop asks again.
        }
        Thread.sleep(EVERY);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static @Nullable String sdm(StorageApi api) {
    return api.getStorageRepository(Scene.MAIN).sdmHostId();
  }
}
