package io.quarry.agent.cli;

import io.quarry.agent.data.os.DiskUsage;
import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.FinishUploadRequest;
import io.quarry.common.api.ImageExplanation.Need;
import io.quarry.common.api.Sha256;
import io.quarry.common.api.StorageApi;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UploadInfo;
import io.quarry.common.api.UploadRange;
import io.quarry.common.model.VolumeFormat;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HexFormat;
import java.util.concurrent.Future;

/** Sends what a file has, names what is zeros, and asks for the whole to be verified. */
final class UploadLoop {
  /** How the log names uploads among those who use an image. */
  private static final String OWNER = "upload";

  private static final byte[] NOTHING = new byte[0];

  private final StorageApi api;
  private final String repo;
  private final String image;
  private final Path file;
  private final VolumeFormat format;
  private final ProgressLine line;
  private final MessageDigest digest = Sha256.fresh();

  /** Pieces that are not on their way. */
  private final Deque<byte[]> spare = new ArrayDeque<>();

  private long zerosFrom = -1;
  private long sent;

  /** A range that is durable, and the memory that it came from. */
  @SuppressWarnings("ArrayRecordComponent") // handed on once, never compared
  private record Sent(UploadRange range, byte[] memory) {}

  UploadLoop(
      StorageApi api,
      String repo,
      String image,
      Path file,
      VolumeFormat format,
      ProgressLine line) {
    this.api = api;
    this.repo = repo;
    this.image = image;
    this.file = file;
    this.format = format;
    this.line = line;
  }

  ImageUpload.Answer run() throws IOException {
    long bytes = Files.size(file);
    long disk = api.getImage(repo, image, 0).size();
    if (format == VolumeFormat.RAW && bytes > disk) {
      throw StorageException.invalid(
          file.toString(),
          "the file has " + bytes + " bytes, and the disk " + disk,
          "Grow the disk with quarry image resize, or create another one.");
    }
    if (format == VolumeFormat.RAW && bytes < disk) {
      line.say(
          "%s has %s, the rest of the disk reads as zeros".formatted(file, Units.bytes(bytes)));
    }
    long size = format == VolumeFormat.RAW ? disk : bytes;
    UploadInfo upload = beginOrGoOn(size);
    send(upload, size);
    String sha256 = HexFormat.of().formatHex(digest.digest());
    UploadInfo end = finish(upload, sha256);
    return new ImageUpload.Answer(image, size, disk, sent, sha256, end.commit());
  }

  private UploadInfo beginOrGoOn(long size) throws IOException {
    // Holes need no space there either.
    long dataBytes = Math.min(size, DiskUsage.allocated(file));
    try {
      return api.beginUpload(repo, image, new BeginUploadRequest(format, size, dataBytes), null);
    } catch (StorageException e) {
      if (e.code() != ErrorCode.IMAGE_IN_USE) {
        throw e;
      }
      for (Need need : api.explainImage(repo, image, 0).neededBy()) {
        if (need.type().equals("open") && OWNER.equals(need.owner())) {
          UploadInfo upload = api.getUpload(repo, image, need.id());
          requireSame(upload, size);
          line.say("going on with upload " + upload.uploadId());
          return upload;
        }
      }
      throw e;
    }
  }

  private void requireSame(UploadInfo upload, long size) {
    boolean converts = upload.conversion() != null;
    if (upload.size() != size || converts != (format == VolumeFormat.QCOW2)) {
      throw StorageException.invalid(
          file.toString(),
          "upload %s of %d bytes%s is under way, and this is another file"
              .formatted(upload.uploadId(), upload.size(), converts ? " of qcow2" : ""),
          "Give it up with quarry image close %s %s %s, or upload that file."
              .formatted(repo, image, upload.uploadId()));
    }
  }

  /**
   * What is stored already is only read, for the digest; a file that ends early goes on with zeros.
   */
  private void send(UploadInfo upload, long size) throws IOException {
    try (InputStream in = Files.newInputStream(file);
        InFlight<Sent> flight = new InFlight<>(done -> stored(done, size))) {
      for (long at = 0; at < size; ) {
        int length = (int) Math.min(InFlight.PIECE_BYTES - at % InFlight.PIECE_BYTES, size - at);
        byte[] memory = spare.isEmpty() ? new byte[InFlight.PIECE_BYTES] : spare.pop();
        int read = in.readNBytes(memory, 0, length);
        Arrays.fill(memory, read, length, (byte) 0);
        digest.update(memory, 0, length);
        if (at + length > upload.offset()) {
          put(flight, upload, new UploadRange(at, length, size, false, null), memory);
        } else {
          spare.push(memory);
          line.advance("uploading", new Done(at + length, size));
        }
        at += length;
      }
      endZeros(flight, upload, size, size);
      flight.drain();
    }
  }

  private void stored(Sent done, long size) {
    UploadRange range = done.range();
    if (!range.zeros()) {
      sent += range.length();
      spare.push(done.memory());
    }
    line.advance("uploading", new Done(range.end(), size));
  }

  /** Zeros are only counted, until there is something else. */
  private void put(InFlight<Sent> flight, UploadInfo upload, UploadRange range, byte[] memory)
      throws IOException {
    if (isZero(memory, (int) range.length())) {
      zerosFrom = zerosFrom < 0 ? Math.max(range.offset(), upload.offset()) : zerosFrom;
      spare.push(memory);
      return;
    }
    endZeros(flight, upload, range.offset(), range.size());
    add(flight, upload, range, memory);
  }

  private void endZeros(InFlight<Sent> flight, UploadInfo upload, long end, long size)
      throws IOException {
    if (zerosFrom >= 0) {
      var range = new UploadRange(zerosFrom, end - zerosFrom, size, true, null);
      zerosFrom = -1;
      add(flight, upload, range, NOTHING);
    }
  }

  /** A range that comes to an agent before the one in front of it is sent again. */
  private void add(InFlight<Sent> flight, UploadInfo upload, UploadRange range, byte[] memory)
      throws IOException {
    Future<Sent> before = flight.last();
    flight.add(() -> {
      try {
        return put(upload, range, memory);
      } catch (StorageException e) {
        if (e.code() != ErrorCode.RANGE_NOT_SATISFIABLE || before == null) {
          throw e;
        }
        InFlight.result(before);
        return put(upload, range, memory);
      }
    });
  }

  private Sent put(UploadInfo upload, UploadRange range, byte[] memory) {
    var content = new ByteArrayInputStream(memory, 0, range.zeros() ? 0 : (int) range.length());
    api.uploadImage(repo, image, upload.uploadId(), range, content);
    return new Sent(range, memory);
  }

  private static boolean isZero(byte[] piece, int length) {
    return piece[0] == 0 && Arrays.equals(piece, 0, length - 1, piece, 1, length);
  }

  /** Reading back takes the agent a while, and it answers in between. */
  private UploadInfo finish(UploadInfo upload, String sha256) {
    var request = new FinishUploadRequest(sha256);
    while (true) {
      UploadInfo info = api.finishUpload(repo, image, upload.uploadId(), request, null);
      if (info.finished()) {
        return info;
      }
      if (info.conversion() != null && info.verified() == info.size()) {
        line.advance("converting", new Done(info.conversion().offset(), info.conversion().size()));
      } else {
        line.advance("verifying", new Done(info.verified(), info.size()));
      }
    }
  }
}
