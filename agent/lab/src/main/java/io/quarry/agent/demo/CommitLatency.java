package io.quarry.agent.demo;

import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Measures commits as an engine sees them: a call, a durable record, the answer. */
final class CommitLatency {
  static final int COMMITS = 50;

  private final Scene scene;

  CommitLatency(Scene scene) {
    this.scene = scene;
  }

  /** Opens and closes a snapshot, one call after the other. */
  List<Duration> measure(String snapshot) {
    List<Duration> measured = new ArrayList<>();
    OpenRequest reading = new OpenRequest(true, DemoImages.OWNER);
    while (measured.size() < COMMITS) {
      long opening = System.nanoTime();
      OpenedImage opened = scene.api().openImage(Scene.MAIN, snapshot, reading, null);
      long closing = System.nanoTime();
      scene.api().closeImage(Scene.MAIN, snapshot, opened.openId(), null);
      measured.add(Duration.ofNanos(closing - opening));
      measured.add(Duration.ofNanos(System.nanoTime() - closing));
    }
    return measured;
  }
}
