package io.quarry.it.box;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Uses images as a VM would: with QEMU, by the answer of {@code openImage}. */
public final class QemuGuest {
  private QemuGuest() {}

  /** Opens a disk, runs qemu-io commands on it, and closes it. */
  public static void use(StorageClient client, String repoId, String imageId, String... commands)
      throws Exception {
    OpenedImage opened = client.openImage(repoId, imageId, new OpenRequest(false, "guest"), null);
    try {
      List<String> words = new ArrayList<>(List.of("qemu-io"));
      for (String command : commands) {
        words.addAll(List.of("-c", command));
      }
      words.add(name(opened));
      assertThat(run(words)).doesNotContain("failed", "error", "ERROR");
    } finally {
      client.closeImage(repoId, imageId, opened.openId(), null);
    }
  }

  /** The answer of opening an image for reading; no guest writes to the image in these tests. */
  public static OpenedImage look(StorageClient client, String repoId, String imageId) {
    OpenedImage opened = client.openImage(repoId, imageId, new OpenRequest(true, "reader"), null);
    client.closeImage(repoId, imageId, opened.openId(), null);
    return opened;
  }

  /** Runs with an image open for reading, which keeps the files of its chain. */
  private interface Reading {
    void run(OpenedImage opened) throws Exception;
  }

  private static void read(StorageClient client, String repoId, String imageId, Reading reading)
      throws Exception {
    OpenedImage opened = client.openImage(repoId, imageId, new OpenRequest(true, "reader"), null);
    try {
      reading.run(opened);
    } finally {
      client.closeImage(repoId, imageId, opened.openId(), null);
    }
  }

  /** Compares the contents of images, backing chains and all, while both are open. */
  public static void assertSameContent(
      StorageClient client, String repoId, String imageId, String otherRepoId, String otherImageId)
      throws Exception {
    read(
        client,
        repoId,
        imageId,
        one -> read(client, otherRepoId, otherImageId, other -> assertSameContent(one, other)));
  }

  /** Compares the content of an image with a raw file, while the image is open. */
  public static void assertContent(
      StorageClient client, String repoId, String imageId, Path expected) throws Exception {
    read(client, repoId, imageId, opened -> assertContent(opened, expected));
  }

  /** Writes the content of an image into a raw file, while the image is open. */
  public static Path export(StorageClient client, String repoId, String imageId, Path file)
      throws Exception {
    read(client, repoId, imageId, opened -> export(opened, file));
    return file;
  }

  /** Compares the contents of images, backing chains and all. */
  public static void assertSameContent(OpenedImage one, OpenedImage other) throws Exception {
    run(List.of("qemu-img", "compare", name(one), name(other)));
  }

  /** Compares the content of an image, backing chain and all, with a raw file. */
  public static void assertContent(OpenedImage image, Path expected) throws Exception {
    run(List.of("qemu-img", "compare", "-f", "raw", expected.toString(), name(image)));
  }

  /** Writes the content of an image, backing chain and all, into a raw file. */
  public static Path export(OpenedImage image, Path file) throws Exception {
    run(List.of("qemu-img", "convert", "-O", "raw", name(image), file.toString()));
    return file;
  }

  /**
   * The image in the form that QEMU's tools take as a file name, without the files' own backing
   * names.
   */
  public static String name(OpenedImage opened) {
    return "json:" + opened.blockdev().deepCopy().without("node-name");
  }

  /** Checks the top volume, if it is a qcow2 file at that moment, while an open keeps the file. */
  public static void assertSound(StorageClient client, String repoId, String imageId)
      throws Exception {
    OpenedImage opened = client.openImage(repoId, imageId, new OpenRequest(true, "reader"), null);
    try {
      if (opened.format() == VolumeFormat.QCOW2) {
        run(List.of("qemu-img", "check", "-f", "qcow2", opened.path()));
      }
    } finally {
      client.closeImage(repoId, imageId, opened.openId(), null);
    }
  }

  /** Runs a tool that must succeed; returns its output. */
  public static String run(List<String> words) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
    String output;
    try (InputStream in = process.getInputStream()) {
      output = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
    assertThat(process.waitFor()).as("%s: %s", words, output).isZero();
    return output;
  }

  /** By a tool of its own: the test's JVM has no optimizing compiler. */
  public static String sha256(Path file) throws Exception {
    return run(List.of("sha256sum", file.toString())).substring(0, 64);
  }
}
