package io.quarry.agent.chaos;

import io.quarry.common.api.StorageApi;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.ImageKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes, uses and removes images of its own, and remembers their expected content. The customer's
 * seed and the answers to its calls decide what the customer does. One thread at a time may call.
 */
final class Workload {
  private static final int IMAGES_MAX = 9;

  /** The most images that can still be restored: they take as much room as others. */
  private static final int RETAINED_MAX = 4;

  private static final Duration THINKS_MAX = Duration.ofMillis(100);

  /** By then the first write of a woken worker has reached its file. */
  private static final Duration AWAKE = Duration.ofSeconds(1);

  private static final Duration SLEEP_MAX = Duration.ofSeconds(6);

  private final Random random;
  private final StorageClient client;
  private final RecordingClient teller;
  private final Bait bait;
  private final CreateImages make;
  private final ChangeImages change;
  private final UseDisks use;
  private final ReadImages read;
  private final List<Owned> images = new ArrayList<>();

  Workload(SharedWorkload market, int number, long seed) {
    this.random = new Random(seed);
    this.client = market.client(number);
    this.bait = market.bait();
    this.teller = new RecordingClient(market.history(), random, "c" + number);
    this.make = new CreateImages(market, random, client, teller, images);
    this.change = new ChangeImages(market, random, client, teller);
    this.use = new UseDisks(market, random, client, teller, change);
    this.read = new ReadImages(market, random, client, teller);
  }

  void live(BooleanSupplier over) throws InterruptedException {
    while (!over.getAsBoolean()) {
      if (!takeBait()) {
        act();
      }
      Thread.sleep(random.nextLong(THINKS_MAX.toMillis()));
    }
  }

  /**
   * Writes to a disk while a sleeping worker may write to it once more, and compares the content
   * afterwards.
   */
  private boolean takeBait() throws InterruptedException {
    for (Owned disk : images) {
      Optional<String> sleeper =
          disk.is(ImageKind.VIRTUAL_DISK, Owned.State.VISIBLE)
              ? bait.sleeper(disk)
              : Optional.empty();
      if (sleeper.isPresent()) {
        use.fill(disk, sleeper.get());
        long deadline = System.nanoTime() + SLEEP_MAX.toNanos();
        while (bait.asleep(disk) && System.nanoTime() < deadline) {
          Thread.sleep(random.nextLong(THINKS_MAX.toMillis()));
        }
        Thread.sleep(AWAKE);
        if (disk.doubts == 0) {
          read.compare(disk);
        }
        return true;
      }
    }
    return false;
  }

  private void act() {
    List<Owned> visible =
        images.stream().filter(each -> each.state == Owned.State.VISIBLE).toList();
    if (visible.isEmpty()) {
      make.emptyDisk();
      return;
    }
    Owned disk = any(ImageKind.VIRTUAL_DISK, Owned.State.VISIBLE);
    Owned snapshot = any(ImageKind.SNAPSHOT, Owned.State.VISIBLE);
    boolean many = visible.size() >= IMAGES_MAX;
    int drawn = random.nextInt(100);
    if (drawn < 12) {
      orRemove(many, disk, snapshot, make::emptyDisk);
    } else if (drawn < 24) {
      orRemove(many, disk, snapshot, make::overlay);
    } else if (drawn < 34 && disk != null) {
      orRemove(many, disk, snapshot, () -> make.snapshot(disk));
    } else if (drawn < 46) {
      Owned source = snapshot != null && (disk == null || random.nextInt(3) > 0) ? snapshot : disk;
      if (source != null) {
        orRemove(many, disk, snapshot, () -> make.copy(source));
      }
    } else if (drawn < 68 && disk != null) {
      use.write(disk);
    } else if (drawn < 72 && disk != null) {
      use.upload(disk);
    } else if (drawn < 77 && disk != null) {
      change.resize(disk);
    } else if (drawn < 82 && disk != null) {
      change.userData(disk);
    } else if (drawn < 87) {
      Owned retained = any(ImageKind.VIRTUAL_DISK, Owned.State.RETAINED);
      if (retained != null) {
        change.restore(retained);
      }
    } else if (drawn < 93) {
      Owned image = snapshot == null || random.nextBoolean() ? disk : snapshot;
      if (image != null) {
        read.compare(image);
      }
    } else {
      remove(disk, snapshot);
    }
  }

  private void orRemove(
      boolean many, @Nullable Owned disk, @Nullable Owned snapshot, Runnable makes) {
    if (many) {
      remove(disk, snapshot);
    } else {
      makes.run();
    }
  }

  private void remove(@Nullable Owned disk, @Nullable Owned snapshot) {
    Owned image = snapshot == null || random.nextBoolean() ? disk : snapshot;
    if (image != null) {
      long retained = images.stream().filter(each -> each.state == Owned.State.RETAINED).count();
      change.remove(image, retained < RETAINED_MAX);
    }
  }

  private @Nullable Owned any(ImageKind kind, Owned.State state) {
    List<Owned> fit = images.stream().filter(each -> each.is(kind, state)).toList();
    return fit.isEmpty() ? null : fit.get(random.nextInt(fit.size()));
  }

  boolean hasDoubts() {
    return teller.hasPending();
  }

  /** Repeats one call whose outcome is unknown. */
  void settle(StorageApi anywhere) {
    teller.repeat(anywhere);
  }

  List<Owned> images() {
    return images;
  }

  void close() {
    client.close();
  }
}
