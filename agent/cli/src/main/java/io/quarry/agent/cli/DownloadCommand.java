package io.quarry.agent.cli;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageApi;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes an image's content to a file, and continues an earlier download that broke off. */
@Command(
    name = "download",
    description = {
      "Writes an image's content to a raw, sparse file, going on where an earlier download broke"
          + " off.",
      "Every piece is verified by its SHA-256. The image cannot be opened for writing meanwhile."
    },
    footer = {"", "Example:", "  quarry image download main IMAGE disk.raw"})
final class DownloadCommand extends ApiCommand {
  @Parameters(index = "0", paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Parameters(index = "1", paramLabel = "IMAGE", description = "The image's id.")
  private String image = "";

  @Parameters(index = "2", paramLabel = "FILE", description = "Where the data goes.")
  private Path file = Path.of("");

  @Option(names = "--replace", description = "Replace the file if there is one already.")
  private boolean replace;

  @Option(
      names = "--sha256",
      paramLabel = "HEX",
      description = "What the whole content must have; the file is read once more at the end.")
  private @Nullable String sha256;

  /**
   * The answer as JSON.
   *
   * @param received bytes that came over the network this time
   * @param sha256 of the whole file, if it was asked for
   */
  record Answer(String file, long size, long received, String etag, @Nullable String sha256) {}

  @Override
  int run(StorageApi api, Output output) {
    if (sha256 != null && !FileDigest.isDigest(sha256)) {
      throw badUsage("--sha256 takes 64 hexadecimal digits.");
    }
    requireReplaceable();
    if (Files.exists(file) && !replace) {
      throw local(file + " exists already", "Choose another name, or give --replace.");
    }
    if (file.toString().toLowerCase(Locale.ROOT).endsWith(".qcow2")) {
      output.remark(
          ("%1$s will be raw whatever its name says; to convert it afterwards:"
                  + " qemu-img convert -f raw -O qcow2 %1$s OTHER.qcow2")
              .formatted(file));
    }
    Answer answer = download(api, output);
    output.print(answer, () -> text(answer));
    return Exit.DONE;
  }

  /** Refuses a link or a device: the finished file replaces whatever has its name. */
  private void requireReplaceable() {
    if (Files.isSymbolicLink(file)) {
      throw local(
          file + " is a symbolic link", "Name the file that the link leads to, or another file.");
    }
    if (Files.isDirectory(file)) {
      throw local(file + " is a directory", "Name a file.");
    }
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      throw local(
          file + " is a device or a pipe, and no file",
          "Name a file, and write that file to the device afterwards, as with qemu-img dd.");
    }
  }

  private Answer download(StorageApi api, Output output) {
    try (PartialFile partial = PartialFile.open(file, image);
        ProgressLine line = new ProgressLine(output.err(), main().shell())) {
      DownloadLoop loop = new DownloadLoop(api, repo, image, partial, line);
      DownloadLoop.Whole whole = loop.run();
      if (sha256 != null) {
        verify(partial, line);
      }
      partial.finish();
      return new Answer(file.toString(), whole.size(), whole.received(), whole.etag(), sha256);
    } catch (NoSuchFileException e) {
      throw local("there is no directory for " + file, "Make it, or choose another one.");
    } catch (IOException e) {
      throw local(
          file + " cannot be written: " + e.getMessage(),
          "Remove the cause and run the command again; it goes on where it was.");
    }
  }

  private void verify(PartialFile partial, ProgressLine line) throws IOException {
    String found = FileDigest.of(partial.path(), done -> line.advance("verifying", done));
    if (!found.equalsIgnoreCase(sha256)) {
      throw new StorageException(
          ErrorCode.IMAGE_CHANGED,
          "the content has the SHA-256 " + found,
          image,
          "This is not the content that was expected; it stays in " + partial.path() + ".");
    }
  }

  private StorageException local(String message, String remedy) {
    return StorageException.invalid(file.toString(), message, remedy);
  }

  private static String text(Answer answer) {
    return "%s  %s, of which %s were received%s"
        .formatted(
            answer.file(),
            Units.bytes(answer.size()),
            Units.bytes(answer.received()),
            answer.sha256() == null ? "" : ", SHA-256 " + answer.sha256());
  }
}
