package io.quarry.agent.cli;

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
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HexFormat;
import java.util.concurrent.Future;

/** Sends the data of a file, names its zeros, and asks the agent to verify the whole. */
final class UploadLoop {
  /** The owner that the log shows for an open of an upload. */
  private static final String OWNER = "upload";

  private static final byte[] NOTHING = new byte[0];

  private final StorageApi api;
  private final Names names;
  private final UploadSource source;
  private final VolumeFormat format;
  private final boolean force;
  private final ProgressLine line;
  private final MessageDigest digest = Sha256.fresh();

  /** Buffers that are not in use. */
  private final Deque<byte[]> spare = new ArrayDeque<>();

  private long zerosFrom = -1;
  private long sent;

  /** Bytes of data that an earlier try had stored. */
  private long kept;

  /** A durable range, and the buffer that held its bytes. */
  @SuppressWarnings("ArrayRecordComponent") // handed on once, never compared
  private record Sent(UploadRange range, byte[] memory) {}

  /** The names as the caller gave them. */
  record Names(String repo, String image, String file) {}

  /**
   * @param force whether the rest of a disk may become zeros, however long it is
   */
  UploadLoop(
      StorageApi api,
      Names names,
      UploadSource source,
      VolumeFormat format,
      boolean force,
      ProgressLine line) {
    this.api = api;
    this.names = names;
    this.source = source;
    this.format = format;
    this.force = force;
    this.line = line;
  }

  UploadCommand.Answer run() throws IOException {
    long disk = api.getImage(names.repo(), names.image(), 0).size();
    boolean raw = format == VolumeFormat.RAW;
    if (source.hasSize() && raw) {
      requireFits(source.size(), disk);
    } else if (!source.hasSize() && !raw) {
      throw refused(
          "%s is a stream, and a qcow2 file must have a size".formatted(names.file()),
          "Store the stream in a file, and upload that file.");
    }
    long size = raw ? disk : source.size();
    UploadInfo upload = beginOrGoOn(size);
    try (GoesOn _ = line.onInterrupt(howToGoOn(upload))) {
      long read = send(upload, size);
      requireWhole(upload, read, disk);
      String sha256 = HexFormat.of().formatHex(digest.digest());
      UploadInfo end = finish(upload, sha256);
      return new UploadCommand.Answer(names.image(), size, disk, sent, sha256, end.commit());
    }
  }

  private void requireFits(long bytes, long disk) {
    if (bytes > disk) {
      throw refused(
          "the file has " + bytes + " bytes, and the disk " + disk,
          "Grow the disk with quarry image resize, or create another one.");
    }
    if (bytes < disk / 2 && !force) {
      throw refused(
          "the file has " + bytes + " bytes, less than half of the disk's " + disk,
          "Choose the disk again, or give --force to fill the rest of the disk with zeros.");
    }
    if (bytes < disk) {
      line.say(
          "%s has %s, the rest of the disk reads as zeros"
              .formatted(names.file(), Units.bytes(bytes)));
    }
  }

  /** Ends an upload that is shorter than its disk: a stream's size is known only at its end. */
  private void requireWhole(UploadInfo upload, long read, long disk) throws IOException {
    source.requireEnd(read);
    if (source.hasSize() && !source.atEnd()) {
      throw new IOException("it has grown while it was read");
    }
    if (source.hasSize()) {
      return;
    }
    try {
      requireFits(source.atEnd() ? read : disk + 1, disk);
    } catch (StorageException e) {
      // The stream has been read, so no command can continue the upload.
      api.closeImage(names.repo(), names.image(), upload.uploadId(), null);
      throw e;
    }
  }

  private StorageException refused(String message, String remedy) {
    return StorageException.invalid(names.file(), message, remedy);
  }

  private String howToGoOn(UploadInfo upload) {
    return "the upload is kept; go on with `quarry image upload %s %s %s`, or give up with `%s`"
        .formatted(names.repo(), names.image(), names.file(), giveUp(upload));
  }

  private String giveUp(UploadInfo upload) {
    return "quarry image close %s %s %s".formatted(names.repo(), names.image(), upload.uploadId());
  }

  private UploadInfo beginOrGoOn(long size) {
    Long data = source.dataBytes() == null ? null : Math.min(size, source.dataBytes());
    var request = new BeginUploadRequest(format, size, data);
    try {
      return api.beginUpload(names.repo(), names.image(), request, null);
    } catch (StorageException e) {
      if (e.code() != ErrorCode.IMAGE_IN_USE) {
        throw e;
      }
      for (Need need : api.explainImage(names.repo(), names.image(), 0).neededBy()) {
        if (need.type().equals("open") && OWNER.equals(need.owner())) {
          UploadInfo upload = api.getUpload(names.repo(), names.image(), need.id());
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
      throw refused(
          "upload %s of %d bytes%s is under way, and this is another file"
              .formatted(upload.uploadId(), upload.size(), converts ? " of qcow2" : ""),
          "Give the upload up with %s, or upload that file.".formatted(giveUp(upload)));
    }
  }

  /**
   * Reads the source to its end and returns its length. Stored bytes are only read for the digest.
   * A file that ends early continues with zeros.
   */
  private long send(UploadInfo upload, long size) throws IOException {
    long all = 0;
    try (InFlight<Sent> flight = new InFlight<>(done -> stored(done, size))) {
      for (long at = 0; at < size; ) {
        int length = (int) Math.min(InFlight.PIECE_BYTES - at % InFlight.PIECE_BYTES, size - at);
        byte[] memory = spare.isEmpty() ? new byte[InFlight.PIECE_BYTES] : spare.pop();
        all += source.read(memory, length);
        digest.update(memory, 0, length);
        if (at + length > upload.offset()) {
          put(flight, upload, new UploadRange(at, length, size, false, null), memory);
        } else {
          spare.push(memory);
          kept += isZero(memory, length) ? 0 : length;
          line.advance("reading what is stored", new Done(at + length, upload.offset()));
        }
        at += length;
      }
      endZeros(flight, upload, size, size);
      flight.drain();
    }
    return all;
  }

  private void stored(Sent done, long size) {
    UploadRange range = done.range();
    if (!range.zeros()) {
      sent += range.length();
      spare.push(done.memory());
    }
    Long data = source.dataBytes();
    line.advance(
        "uploading",
        data == null
            ? Done.within(sent, range.end(), size)
            : new Done(sent, Math.max(sent, Math.min(size, data) - kept)));
  }

  /** Zeros are only counted, until data follows. */
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

  /** Sends a range again that reached an agent before the range in front of it. */
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
    api.uploadImage(names.repo(), names.image(), upload.uploadId(), range, content);
    return new Sent(range, memory);
  }

  private static boolean isZero(byte[] piece, int length) {
    return piece[0] == 0 && Arrays.equals(piece, 0, length - 1, piece, 1, length);
  }

  /** Reading back takes the agent a while, so it also answers before its end. */
  private UploadInfo finish(UploadInfo upload, String sha256) {
    var request = new FinishUploadRequest(sha256);
    while (true) {
      UploadInfo info =
          api.finishUpload(names.repo(), names.image(), upload.uploadId(), request, null);
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
