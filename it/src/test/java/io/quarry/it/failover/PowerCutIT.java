package io.quarry.it.failover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.agent.dev.LocalHost;
import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.ImagePage;
import io.quarry.common.api.ImageQuery;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.ClientSettings;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.Visibility;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import io.quarry.it.box.FixQueries;
import io.quarry.it.box.Xfs;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The power of the storage and of all hosts fails, again and again, while disks are made and
 * removed and a copy is under way. Writes that were not forced are lost; no acknowledged call is.
 */
@Timeout(300)
final class PowerCutIT {
  private static final String REPOSITORY = "vms";
  private static final String SOURCE = "source";
  private static final Duration SESSION = Duration.ofSeconds(5);
  private static final Duration ANSWER_MAX = Duration.ofSeconds(3);
  private static final long MIB = 1L << 20;
  private static final long SLOW = 6 * MIB;
  private static final int ROUNDS = 3;
  private static final int CHANGES_PER_ROUND = 30;

  private final Set<String> made = ConcurrentHashMap.newKeySet();
  private final Set<String> removed = ConcurrentHashMap.newKeySet();

  @TempDir private Path directory;

  @Test
  void acknowledgedCallsOutliveThePowerCut() throws Exception {
    LocalClusterOptions options =
        LocalClusterOptions.in(directory).withHosts(2).withSessionTimeout(SESSION);
    try (Xfs xfs = Xfs.mount(directory.resolve("storage").resolve(REPOSITORY));
        Box box = Box.start(options)) {
      box.connect(REPOSITORY);
      box.connect(SOURCE);
      StorageClient client = box.client(0);
      String source = Copying.source(client, SOURCE, 2, 96 * MIB);
      throttle(box, SLOW);
      Copying copy = Copying.start(box, client, REPOSITORY, source);
      long reached = 0;
      for (int round = 0; round < ROUNDS; round++) {
        long before = reached;
        try (Engine engine = new Engine(box)) {
          engine.awaitChanges(CHANGES_PER_ROUND);
          reached = Copying.checkpoint(copy.until(now -> Copying.checkpoint(now) > before));
          xfs.cutPower();
          for (int host = 0; host < 2; host++) {
            box.host(host).killHost();
          }
        }
        xfs.restorePower();
        restart(box);
        assertNothingLost(client);
        long persisted = reached;
        copy.until(now -> Copying.checkpoint(now) >= persisted);
      }
      throttle(box, 0);
      copy.assertBecomes(client, SOURCE, source);
      made.forEach(disk -> Box.awaitOptimized(client, REPOSITORY, disk));
      FixQueries.runAll(client, REPOSITORY);
      assertThat(
              client.checkStorageRepository(REPOSITORY, new CheckOptions(true, null, 0)).problems())
          .isEmpty();
    }
  }

  private static void throttle(Box box, long bytesPerSecond) {
    box.hostIds().forEach(host -> box.client(host).setThrottle(bytesPerSecond));
  }

  private static void restart(Box box) throws Exception {
    for (int host = 0; host < 2; host++) {
      box.host(host).start();
    }
    for (int host = 0; host < 2; host++) {
      box.host(host).awaitReady(Box.PATIENCE);
    }
  }

  private void assertNothingLost(StorageClient client) {
    List<String> visible = new ArrayList<>();
    @Nullable String after = null;
    do {
      ImagePage page =
          client.listImages(
              REPOSITORY,
              new ImageQuery(null, null, Visibility.VISIBLE, null, after, ImageQuery.LIMIT_MAX, 0));
      page.images().forEach(image -> visible.add(image.imageId()));
      after = page.next();
    } while (after != null);
    assertThat(visible).containsAll(made).doesNotContainAnyElementsOf(removed);
  }

  /** Makes disks and removes every other one, through any host that answers. */
  private final class Engine implements AutoCloseable {
    private final StorageClient client;
    private final Thread thread;
    private volatile boolean over;
    private final AtomicInteger changes = new AtomicInteger();

    Engine(Box box) {
      List<URI> urls = box.hostIds().stream().map(box::host).map(LocalHost::url).toList();
      this.client = new StorageClient(urls, ClientSettings.within(ANSWER_MAX));
      this.thread = Thread.ofPlatform().name("engine").start(this::work);
    }

    private void work() {
      while (!over) {
        try {
          String disk = Box.disk(client, REPOSITORY, MIB).imageId();
          made.add(disk);
          if (changes.incrementAndGet() % 2 == 0) {
            remove(disk);
          }
        } catch (StorageException e) {
          // The call was not acknowledged, so the test expects nothing of it.
        }
      }
    }

    private void remove(String disk) {
      made.remove(disk);
      client.removeImage(REPOSITORY, disk, RemoveImageOptions.DEFAULT, null);
      removed.add(disk);
    }

    void awaitChanges(int count) {
      await().atMost(Box.PATIENCE).until(() -> changes.get() >= count);
    }

    @Override
    public void close() {
      over = true;
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      client.close();
    }
  }
}
