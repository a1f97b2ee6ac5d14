package io.quarry.agent.data.qemu;

import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.ToolFailure;
import io.quarry.agent.data.process.ToolLimits;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Examines a qcow2 file from outside: first its header, then the rest with QEMU's own tools. These
 * tools are children that get little time and memory, and may write no file. A refused file is
 * never opened as a disk.
 */
public final class UntrustedQcow2 {
  /** The exit code of a shell, of setpriv and of prlimit when there is no such tool. */
  private static final int EXIT_NO_SUCH_TOOL = 127;

  private static final String NO_MEMORY = "failed to allocate";

  private static final int LAST_WORDS_CHARS = 200;
  private static final int READ_BYTES = 1 << 20;

  /** The length of a file's header. */
  public static final int HEADER_BYTES = Qcow2Header.BYTES;

  private final QemuImg tool;

  public UntrustedQcow2(Children children) {
    this(children, ToolLimits.INSPECTION);
  }

  UntrustedQcow2(Children children, ToolLimits limits) {
    this.tool = new QemuImg(children).limited(limits);
  }

  /** Judges the first bytes of a file, before the rest has arrived. */
  public static void requireHeader(Chain.Layer file, long sizeMax)
      throws IOException, UntrustedImageException {
    header(file, sizeMax);
  }

  private static Qcow2Header header(Chain.Layer file, long sizeMax)
      throws IOException, UntrustedImageException {
    Qcow2Header header;
    try (NativeFile in = file.open()) {
      header = Qcow2Header.read(in);
    }
    header.require();
    if (header.virtualSize() > sizeMax) {
      throw new UntrustedImageException(
          "the disk in it has " + header.virtualSize() + " bytes, and is to fit into " + sizeMax,
          "Grow the disk with resizeImage, or create another one.");
    }
    return header;
  }

  /**
   * Returns the size of the disk in the file.
   *
   * @param sizeMax of the disk
   * @throws IOException if the file could not be examined, which is no verdict on the file
   */
  public long inspect(Chain.Layer file, long sizeMax)
      throws IOException, InterruptedException, UntrustedImageException {
    Qcow2Header header = header(file, sizeMax);
    try {
      requirePlain(tool.info(file.file(), VolumeFormat.QCOW2), header);
      ImageCheck found = tool.check(file);
      if (!found.isSound()) {
        throw damaged("qemu-img check finds " + found.corruptions() + " errors in it");
      }
    } catch (ToolFailure e) {
      if (!isVerdict(e)) {
        throw e;
      }
      requireReadable(file);
      throw damaged(
          "QEMU does not read it within the limits for files from outside: " + lastWords(e));
    }
    return header.virtualSize();
  }

  private static void requirePlain(ImageFile info, Qcow2Header header)
      throws UntrustedImageException {
    if (info.backingFile().isPresent()
        || info.dataFile().isPresent()
        || info.encrypted()
        || info.internalSnapshots() > 0
        || info.virtualSize() != header.virtualSize()) {
      throw UntrustedImageException.convert("QEMU reads its header in another way: " + info);
    }
    if (info.dirty() || info.corrupt()) {
      throw damaged("QEMU says that it is dirty or corrupt");
    }
  }

  private static UntrustedImageException damaged(String why) {
    return new UntrustedImageException(
        why, "Repair it with qemu-img check -r all, or take a new copy of it.");
  }

  /** A tool that is missing, was killed, or waits for the storage, gives no verdict on the file. */
  private static boolean isVerdict(ToolFailure failure) {
    if (failure.killed()) {
      // GLib ends a program that gets no memory with a message; the kernel gives none.
      return failure.stderrTail().contains(NO_MEMORY);
    }
    return failure.exitCode().isPresent()
        && failure.exitCode().getAsInt() != EXIT_NO_SUCH_TOOL
        && !failure.stderrTail().contains("Failed to get");
  }

  private static String lastWords(ToolFailure failure) {
    String words = String.valueOf(failure.getMessage()).replace('\n', ' ');
    return words.substring(Math.max(0, words.length() - LAST_WORDS_CHARS));
  }

  /** QEMU reports a failing storage in the same words as a broken table. */
  private static void requireReadable(Chain.Layer file) throws IOException {
    try (NativeFile in = file.open();
        Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(READ_BYTES, READ_BYTES);
      for (Optional<Long> data = in.nextData(0); data.isPresent(); ) {
        long end = in.nextHole(data.get());
        for (long at = data.get(); at < end; at += READ_BYTES) {
          in.read(at, buffer.asSlice(0, Math.min(READ_BYTES, end - at)));
        }
        data = in.nextData(end);
      }
    }
  }
}
