package io.quarry.agent.cli;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What a file is by the bytes that it begins or ends with. */
enum FileMagic {
  QCOW2("a qcow2 file", List.of("qcow2"), 0, "QFI\u00fb"),
  VMDK("a VMDK file", List.of("vmdk"), 0, "KDMV"),
  VMDK_COWD("a VMDK file", List.of("vmdk"), 0, "COWD"),
  VMDK_TEXT("a VMDK descriptor", List.of("vmdk"), 0, "# Disk DescriptorFile"),
  VDI("a VDI file", List.of("vdi"), 64, "\u007f\u0010\u00da\u00be"),
  VHDX("a VHDX file", List.of("vhdx"), 0, "vhdxfile"),
  VHD("a VHD file", List.of("vhd", "vpc"), 0, "conectix"),
  QED("a QED file", List.of("qed"), 0, "QED\0"),
  GZIP("compressed by gzip", List.of("gz", "tgz"), 0, "\u001f\u008b"),
  XZ("compressed by xz", List.of("xz"), 0, "\u00fd7zXZ\0"),
  ZSTD("compressed by zstd", List.of("zst"), 0, "(\u00b5/\u00fd"),
  BZIP2("compressed by bzip2", List.of("bz2"), 0, "BZh"),
  ZIP("a ZIP archive", List.of("zip", "ova"), 0, "PK\u0003\u0004"),
  /** Nothing that is known: the bytes of a disk. */
  NONE("the bytes of a disk", List.of(), 0, "");

  private final String text;
  private final List<String> extensions;
  private final int offset;
  private final byte[] bytes;

  FileMagic(String text, List<String> extensions, int offset, String bytes) {
    this.text = text;
    this.extensions = extensions;
    this.offset = offset;
    this.bytes = bytes.getBytes(StandardCharsets.ISO_8859_1);
  }

  /** For messages, after "is". */
  String text() {
    return text;
  }

  /**
   * @param tail the last sector; that of a fixed VHD alone tells it from a disk
   */
  static FileMagic of(byte[] head, byte[] tail) {
    for (FileMagic magic : values()) {
      if (magic != NONE && magic.isIn(head)) {
        return magic;
      }
    }
    return VHD.isIn(tail) ? VHD : NONE;
  }

  private boolean isIn(byte[] head) {
    int end = offset + bytes.length;
    return head.length >= end && Arrays.equals(head, offset, end, bytes, 0, bytes.length);
  }

  /** What a file is by its name; null when the name says nothing. */
  static @Nullable FileMagic named(String name) {
    String extension = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    for (FileMagic magic : values()) {
      if (magic.extensions.contains(extension)) {
        return magic;
      }
    }
    return null;
  }

  /** Whether a name of that one may be a name of this one. */
  boolean sharesNameWith(FileMagic other) {
    return extensions.equals(other.extensions);
  }
}
