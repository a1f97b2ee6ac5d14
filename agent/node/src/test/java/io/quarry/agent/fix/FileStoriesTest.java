package io.quarry.agent.fix;

import io.quarry.agent.data.process.Spawner;
import io.quarry.coordinator.cluster.LocalZooKeeper;
import io.quarry.coordinator.fault.FaultPoints;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Shrinkable;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.jspecify.annotations.Nullable;

/**
 * The stories of the coordinator's {@code RandomPlansTest}, with real logs, files and fixes. At the
 * end the test reads each image with QEMU's tools, and no orphaned file may be on the storage.
 *
 * <p>Stories have the seeds 1, 2, …, or begin at {@code -Dquarry.seed}; {@code
 * -Dquarry.fileStories} sets their number.
 */
class FileStoriesTest {
  private static final long FIRST_SEED = Long.getLong("quarry.seed", 1);

  private static @Nullable Path directory;
  private static @Nullable LocalZooKeeper zooKeeper;
  private static final Spawner SPAWNER = new Spawner();

  @BeforeContainer
  static void start() throws Exception {
    Path made = Files.createTempDirectory("quarry-stories");
    directory = made;
    zooKeeper = new LocalZooKeeper();
    FaultPoints.observe(SteppedWorker::reached);
  }

  @AfterContainer
  static void stop() throws Exception {
    FaultPoints.observe(null);
    if (zooKeeper != null) {
      zooKeeper.close();
    }
    if (directory != null) {
      delete(directory);
    }
  }

  @Property(edgeCases = EdgeCasesMode.NONE)
  void imagesKeepTheirContentAndNothingIsLeftBehind(@ForAll("seeds") long seed) throws Exception {
    Path root =
        Files.createDirectory(java.util.Objects.requireNonNull(directory).resolve("s" + seed));
    String connect = java.util.Objects.requireNonNull(zooKeeper).connectString();
    FileStory story = new FileStory(seed, connect, root, SPAWNER);
    try {
      story.play();
    } catch (Exception | AssertionError e) {
      String text = String.join("\n", story.told());
      throw new AssertionError("the story of seed " + seed + ":\n" + text + "\n" + e, e);
    } finally {
      story.end();
    }
    delete(root);
  }

  private static void delete(Path root) throws IOException {
    try (Stream<Path> all = Files.walk(root)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }

  @Provide
  Arbitrary<Long> seeds() {
    AtomicLong seed = new AtomicLong(FIRST_SEED);
    return Arbitraries.fromGenerator(ignored -> Shrinkable.unshrinkable(seed.getAndIncrement()));
  }
}
