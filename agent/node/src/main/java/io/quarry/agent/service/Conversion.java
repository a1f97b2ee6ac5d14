package io.quarry.agent.service;

import io.quarry.agent.data.CopyControl;
import io.quarry.agent.data.CopyPlan;
import io.quarry.agent.data.NbdSource;
import io.quarry.agent.data.RawTarget;
import io.quarry.agent.data.WindowCopier;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.ToolLimits;
import io.quarry.agent.data.qemu.UntrustedImageException;
import io.quarry.agent.data.qemu.UntrustedQcow2;
import io.quarry.agent.fix.FixContext;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Converts a qcow2 file from outside into a disk's content, on a thread of its own. The file itself
 * never becomes a volume: tools under limits examine and read the file.
 */
final class Conversion implements Callable<Boolean> {
  private static final Logger LOG = LoggerFactory.getLogger(Conversion.class);

  /**
   * Small, since other agents see a checkpoint's time, and take over when the checkpoint is old.
   */
  private static final long WINDOW_BYTES = 32 << 20;

  /** No real disk is compressed that well as a whole; a file made to fill storages is. */
  private static final long UNPACKED_MAX = 100;

  /** A smaller disk fills no storage. */
  private static final long UNPACKED_ALWAYS_BYTES = 1L << 30;

  /** The bytes that a server decompresses in a second on a slow machine. */
  private static final long BYTES_PER_CPU_SECOND = 4 << 20;

  private static final Duration CHILDREN_DEADLINE = Duration.ofSeconds(10);

  private final String imageId;
  private final UploadFile file;
  private final FixContext context;
  private final Children children;
  private final CopyControl control = new CopyControl();
  private final CountDownLatch ended = new CountDownLatch(1);
  private boolean begun;
  private boolean stopped;

  Conversion(String imageId, UploadFile file, FixContext context) {
    this.imageId = imageId;
    this.file = file;
    this.context = context;
    this.children = new Children(context.spawner(), "upload into " + imageId);
  }

  /** Returns when the whole content is durable. */
  @Override
  public Boolean call() throws IOException, InterruptedException {
    if (!begin()) {
      throw new IOException("the conversion was stopped");
    }
    try {
      // QEMU's tools refuse a file that another process may write to.
      file.forgetRest();
      convert(new UntrustedQcow2(children).inspect(file.received(), file.diskSize()));
      return true;
    } catch (UntrustedImageException e) {
      throw refused(imageId, e);
    } finally {
      file.forgetRest();
      ended.countDown();
    }
  }

  private synchronized boolean begin() {
    begun = !stopped;
    return begun;
  }

  /** Asks the conversion to end and waits. False when it may still be writing. */
  boolean stop(Duration deadline) throws InterruptedException {
    synchronized (this) {
      stopped = true;
      if (!begun) {
        return true;
      }
    }
    control.stop();
    try {
      children.stopAll(CHILDREN_DEADLINE);
    } catch (IOException e) {
      LOG.warn("A tool that reads an upload is stuck: {}", e.getMessage());
    }
    return ended.await(deadline.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void convert(long size) throws IOException, InterruptedException {
    RawTarget target = file.conversion();
    long start = file.converted();
    long movedBefore = file.moved();
    long movedMax = Math.max(UNPACKED_ALWAYS_BYTES, UNPACKED_MAX * file.size());
    if (start < size) {
      try (NbdSource source = open(file.received().file(), size)) {
        if (source.size() != size) {
          throw new IOException(file.received().file() + " changed its size while it was read");
        }
        WindowCopier.copy(
            source,
            target,
            new CopyPlan(start, context.pace().withWindow(WINDOW_BYTES)),
            context.throttle(),
            control,
            (end, moved) -> {
              if (movedBefore + moved > movedMax) {
                throw unpacksTooMuch();
              }
              file.durable(end, movedBefore + moved);
            });
      }
    }
    if (file.converted() < file.diskSize()) {
      target.flush();
      file.durable(file.diskSize(), file.moved());
    }
  }

  private NbdSource open(Path received, long size) throws IOException, InterruptedException {
    Duration cpu = Duration.ofSeconds(60 + size / BYTES_PER_CPU_SECOND);
    return NbdSource.openUntrusted(
        children, context.runtimeDirectory(), received, ToolLimits.cpu(cpu));
  }

  private StorageException unpacksTooMuch() {
    return new StorageException(
        ErrorCode.UPLOAD_REFUSED,
        "the file for image %s has %d bytes, and unpacks to more than %d times as many"
            .formatted(imageId, file.size(), UNPACKED_MAX),
        imageId,
        "upload the disk's bytes as raw; ranges of zeros need not be sent");
  }

  /** Looks at as much of the file as has been received. */
  static boolean requireHeader(String imageId, UploadFile file) throws IOException {
    try {
      UntrustedQcow2.requireHeader(file.received(), file.diskSize());
      return true;
    } catch (UntrustedImageException e) {
      throw refused(imageId, e);
    }
  }

  private static StorageException refused(String imageId, UntrustedImageException why) {
    return new StorageException(
        ErrorCode.UPLOAD_REFUSED,
        "the file for image " + imageId + " is refused: " + why.getMessage(),
        imageId,
        why.remedy(),
        why);
  }
}
