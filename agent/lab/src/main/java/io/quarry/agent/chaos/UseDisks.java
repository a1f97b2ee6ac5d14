package io.quarry.agent.chaos;

import io.quarry.agent.chaos.Arena.Member;
import io.quarry.agent.chaos.Content.Write;
import io.quarry.agent.chaos.RecordingClient.Answer;
import io.quarry.agent.chaos.RecordingClient.Ask;
import io.quarry.agent.chaos.RecordingClient.Errand;
import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.Committed;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.FinishUploadRequest;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.StorageApi;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UploadInfo;
import io.quarry.common.api.UploadRange;
import io.quarry.common.client.StorageClient;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** Guests that write, and uploads. */
final class UseDisks {
  private static final int WRITES_MAX = 6;
  private static final int CHUNKS_SMALL = 12;
  private static final int CHUNKS_LARGE = 256;
  private static final int VALUES = 255;
  private static final int UPLOAD_CHUNKS_MAX = 100;

  /** How often a guest tries, like a guest whose storage was gone for a moment. */
  private static final int TRIES_MAX = 5;

  private static final Duration TRY_AGAIN = Duration.ofMillis(300);
  private static final Duration FINISH_MAX = Duration.ofSeconds(30);
  private static final Set<ErrorCode> OPENING =
      EnumSet.of(ErrorCode.IMAGE_BROKEN, ErrorCode.IMAGE_IN_USE);

  private final SharedWorkload market;
  private final Random random;
  private final StorageClient api;
  private final RecordingClient teller;
  private final ChangeImages change;

  UseDisks(
      SharedWorkload market,
      Random random,
      StorageClient api,
      RecordingClient teller,
      ChangeImages change) {
    this.market = market;
    this.random = random;
    this.api = api;
    this.teller = teller;
    this.change = change;
  }

  /** Runs a guest on some host that writes, flushes and closes the disk. */
  void write(Owned disk) {
    List<Write> writes = new ArrayList<>();
    int count = 1 + random.nextInt(WRITES_MAX);
    int longest = random.nextInt(2) == 0 ? CHUNKS_LARGE : CHUNKS_SMALL;
    for (int number = 0; number < count; number++) {
      int first = random.nextInt(disk.content.chunks());
      int chunks = 1 + random.nextInt(Math.min(longest, disk.content.chunks() - first));
      writes.add(new Write(first, chunks, random.nextInt(VALUES) + 1));
    }
    write(disk, writes, market.members().get(random.nextInt(market.members().size())));
  }

  /** Writes the whole disk, on a host that does not sleep. */
  void fill(Owned disk, String sleeper) {
    market.history().moment("a guest fills " + disk + " while " + sleeper + " sleeps");
    List<Member> awake =
        market.members().stream().filter(host -> !host.hostId().equals(sleeper)).toList();
    write(
        disk,
        List.of(new Write(0, disk.content.chunks(), random.nextInt(VALUES) + 1)),
        awake.get(random.nextInt(awake.size())));
    market.bait().written(disk);
  }

  private void write(Owned disk, List<Write> writes, Member host) {
    StorageClient there = api.withAgents(List.of(host.agent()));
    Ask ask =
        (to, requestId) ->
            to.openImage(
                disk.repoId, disk.imageId, new OpenRequest(false, "chaos guest"), requestId);
    teller.run(
        new Errand(
            "openImage",
            disk.repoId,
            List.of(disk),
            OPENING,
            there,
            true,
            ask,
            answer -> writeAndClose(disk, writes, (OpenedImage) answer.body())));
  }

  private void writeAndClose(Owned disk, List<Write> writes, OpenedImage opened) {
    boolean written = written(disk, opened, writes);
    for (Write write : writes) {
      disk.content = written ? disk.content.with(write) : disk.content.withDoubt(write);
    }
    boolean force = random.nextInt(3) == 0;
    if (random.nextInt(10) == 0) {
      change.remove(disk, false, force);
    }
    boolean gone = disk.state != Owned.State.VISIBLE;
    close(
        disk,
        opened.openId(),
        Set.of(),
        () -> {
          if (gone && !force) {
            market.history().violation(disk + " was removed while a guest had it open");
          }
        });
  }

  private boolean written(Owned disk, OpenedImage opened, List<Write> writes) {
    String last = "";
    for (int tries = 0; tries < TRIES_MAX; tries++) {
      try {
        market.guest().write(opened, writes);
        return true;
      } catch (IOException e) {
        last = String.valueOf(e.getMessage());
        pause();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
    if (!market.guestsSuffer().getAsBoolean()) {
      market.history().violation("a guest cannot write to " + disk + ": " + last);
    }
    return false;
  }

  private static void pause() {
    try {
      Thread.sleep(TRY_AGAIN);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void close(Owned disk, String openId, Set<ErrorCode> mayMeet, Runnable done) {
    Ask ask = (to, requestId) -> closed(to, disk, openId, requestId);
    teller.run(
        new Errand(
            "closeImage",
            disk.repoId,
            List.of(disk),
            mayMeet,
            api,
            false,
            ask,
            answer -> done.run()));
  }

  /** A foreign process may keep the disk from being closed for a while. */
  private static Committed closed(StorageApi to, Owned disk, String openId, String requestId) {
    long deadline = System.nanoTime() + FINISH_MAX.toNanos();
    while (true) {
      try {
        return to.closeImage(disk.repoId, disk.imageId, openId, requestId);
      } catch (StorageException e) {
        if (e.code() != ErrorCode.STILL_WRITING || System.nanoTime() > deadline) {
          throw e;
        }
        pause();
      }
    }
  }

  /** Cancels an upload, which the removal of its image may have ended already. */
  private void giveUp(Owned disk, String uploadId) {
    close(disk, uploadId, EnumSet.of(ErrorCode.OPEN_NOT_FOUND), () -> {});
  }

  /** Replaces the whole content of a disk that is not too large. */
  void upload(Owned disk) {
    if (disk.content.chunks() > UPLOAD_CHUNKS_MAX) {
      return;
    }
    Ask ask =
        (to, requestId) ->
            to.beginUpload(disk.repoId, disk.imageId, BeginUploadRequest.RAW, requestId);
    teller.run(
        new Errand(
            "beginUpload",
            disk.repoId,
            List.of(disk),
            OPENING,
            api,
            false,
            ask,
            answer -> send(disk, answer)));
  }

  private void send(Owned disk, Answer begun) {
    byte value = (byte) (1 + random.nextInt(VALUES));
    Content content =
        Content.zeros(disk.content.chunks())
            .with(new Write(0, disk.content.chunks(), value & 0xff));
    byte[] bytes = new byte[(int) content.bytes()];
    Arrays.fill(bytes, value);
    try {
      var _ =
          api.uploadImage(
              disk.repoId,
              disk.imageId,
              begun.id(),
              new UploadRange(0, bytes.length, bytes.length, false, null),
              new ByteArrayInputStream(bytes));
    } catch (StorageException e) {
      giveUp(disk, begun.id());
      return;
    }
    if (random.nextInt(8) == 0) {
      change.remove(disk, false, false);
    }
    boolean gone = disk.state != Owned.State.VISIBLE;
    Ask ask = (to, requestId) -> finish(to, disk, begun.id(), requestId);
    int before = disk.doubts;
    teller.run(
        new Errand(
            "finishUpload",
            disk.repoId,
            List.of(disk),
            EnumSet.of(ErrorCode.NO_SPACE, ErrorCode.OPEN_NOT_FOUND),
            api,
            false,
            ask,
            answer -> {
              disk.content = content;
              if (gone) {
                market.history().violation(disk + " was removed, and its upload finished");
              }
            }));
    if (disk.doubts == before && disk.content != content) {
      giveUp(disk, begun.id());
    }
  }

  /** An answer may come before the upload is done. */
  private static UploadInfo finish(StorageApi to, Owned disk, String uploadId, String requestId) {
    long deadline = System.nanoTime() + FINISH_MAX.toNanos();
    while (true) {
      UploadInfo info =
          to.finishUpload(
              disk.repoId, disk.imageId, uploadId, new FinishUploadRequest(null), requestId);
      if (info.finished()) {
        return info;
      }
      if (System.nanoTime() > deadline) {
        throw new StorageException(
            ErrorCode.OUTCOME_UNKNOWN, "not finished yet", uploadId, "call it again");
      }
    }
  }
}
