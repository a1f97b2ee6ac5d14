package io.quarry.agent.cli;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The format of a file, by its first or last bytes. */
enum FileMagic {
  QCOW2("a qcow2 file", "qcow2", 0, "QFI\u00fb"),
  VMDK("a VMDK file", "vmdk", 0, "KDMV"),
  VMDK_COWD("a VMDK file", "vmdk", 0, "COWD"),
  VMDK_TEXT("a VMDK descriptor", "vmdk", 0, "# Disk DescriptorFile"),
  VDI("a VDI file", "vdi", 64, "\u007f\u0010\u00da\u00be"),
  VHDX("a VHDX file", "vhdx", 0, "vhdxfile"),
  VHD("a VHD file", "vhd vpc", 0, "conectix"),
  QED("a QED file", "qed", 0, "QED\0"),
  GZIP("compressed by gzip", "gz tgz", 0, "\u001f\u008b"),
  XZ("compressed by xz", "xz", 0, "\u00fd7zXZ\0"),
  ZSTD("compressed by zstd", "zst", 0, "(\u00b5/\u00fd"),
  BZIP2("compressed by bzip2", "bz2", 0, "BZh"),
  ZIP("a ZIP archive", "zip ova", 0, "PK\u0003\u0004"),
  /** No known format: the bytes of a disk. */
  NONE("the bytes of a disk", "", 0, "");

  private final String text;

  /** Separated by blanks. */
  private final String extensions;

  private final int offset;

  /** One character for each byte. */
  private final String bytes;

  FileMagic(String text, String extensions, int offset, String bytes) {
    this.text = text;
    this.extensions = extensions;
    this.offset = offset;
    this.bytes = bytes;
  }

  /** For messages, after the word "is". */
  String text() {
    return text;
  }

  /**
   * @param tail the last sector, by which alone a fixed VHD differs from a raw disk
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
    return head.length >= offset + bytes.length()
        && bytes.equals(new String(head, offset, bytes.length(), StandardCharsets.ISO_8859_1));
  }

  /** The format that a file's name suggests; null when the name suggests none. */
  static @Nullable FileMagic named(String name) {
    String extension = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    for (FileMagic magic : values()) {
      if (magic != NONE && List.of(magic.extensions.split(" ")).contains(extension)) {
        return magic;
      }
    }
    return null;
  }

  /** Whether files of both formats may have the same name. */
  boolean sharesNameWith(FileMagic other) {
    return extensions.equals(other.extensions);
  }
}
