package io.quarry.agent.demo;

import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.StorageApi;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Map;

/** Configures the hosts as an engine would: repositories connected everywhere, one throttle. */
final class DemoHosts {
  private static final String FORMAT = "localfs-1.0";
  private static final Duration RETURN_MAX = Duration.ofSeconds(40);

  private static final int SLOWER = 8;

  private final Scene scene;
  private volatile long bytesPerSecond;

  DemoHosts(Scene scene) {
    this.scene = scene;
  }

  void connectAll() throws IOException, InterruptedException, DemoFailure {
    for (String repoId : Scene.REPOSITORIES) {
      Files.createDirectories(scene.repository(repoId));
    }
    for (String hostId : scene.hosts().keySet()) {
      awaitReady(hostId);
    }
  }

  /** Waits for a starting agent and restores the settings that a restart loses. */
  void awaitReady(String hostId) throws InterruptedException, DemoFailure {
    Waiting.until(
        "the agent of " + hostId,
        RETURN_MAX,
        () -> Waiting.succeeds(() -> prepare(scene.host(hostId))));
  }

  /**
   * Waits for a killed agent; meanwhile the other hosts copy slowly, so that a copy is left for the
   * next kill.
   */
  void awaitReturn(String hostId) throws InterruptedException, DemoFailure {
    long rate = bytesPerSecond;
    throttle(rate / SLOWER);
    awaitReady(hostId);
    throttle(rate);
    scene.timeline().add("the agent of " + hostId + " is back");
  }

  /** Changes the throttle of every host; 0 lifts it. */
  void throttle(long newBytesPerSecond) {
    bytesPerSecond = newBytesPerSecond;
    scene.hosts().values().forEach(host -> Waiting.succeeds(() -> throttle(host)));
  }

  private Void prepare(StorageApi host) {
    // The throttle first: a host takes fixes as soon as it has a repository.
    var _ = throttle(host);
    for (String repoId : Scene.REPOSITORIES) {
      host.createStorageRepository(
          new ConnectRequest(repoId, FORMAT, Map.of("path", scene.repository(repoId).toString())));
    }
    return null;
  }

  private Void throttle(StorageApi host) {
    host.setThrottle(bytesPerSecond);
    return null;
  }
}
