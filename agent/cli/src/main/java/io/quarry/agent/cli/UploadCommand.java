package io.quarry.agent.cli;

import io.quarry.common.api.StorageApi;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Replaces a disk's content by a file's, and continues an earlier upload that broke off. */
@Command(
    name = "upload",
    description = {
      "Replaces a disk's content by that of a raw or qcow2 file, going on where an earlier upload"
          + " broke off.",
      "The disk keeps its old content until the whole new one is stored and its SHA-256 verified.",
      "A qcow2 file is inspected and converted into the disk, which must be large enough for it. It"
          + " must stand alone: no backing or data file, encryption, internal snapshots or"
          + " bitmaps.",
      "To give up: quarry image close REPO IMAGE UPLOAD."
    },
    footer = {"", "Example:", "  quarry image upload main IMAGE disk.qcow2"})
final class UploadCommand extends ApiCommand {
  /** The formats that an uploaded file may have. */
  enum Format {
    raw,
    qcow2
  }

  @Parameters(index = "0", paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Parameters(index = "1", paramLabel = "IMAGE", description = "The disk's id.")
  private String image = "";

  @Parameters(index = "2", paramLabel = "FILE", description = "Where the data comes from.")
  private Path file = Path.of("");

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      description =
          "What the file holds: ${COMPLETION-CANDIDATES}. Default: qcow2 if it begins like it,"
              + " otherwise raw. A file of another known format is refused without raw.")
  private @Nullable Format format;

  @Option(
      names = "--force",
      description = "Upload a raw file that is smaller than half of the disk; zeros follow it.")
  private boolean force;

  /**
   * The answer as JSON.
   *
   * @param size of the upload: for qcow2 the file's
   * @param diskSize the size that a VM sees
   * @param sha256 of the upload: for qcow2 the file's
   */
  record Answer(String imageId, long size, long diskSize, long sent, String sha256, long commit) {}

  @Override
  int run(StorageApi api, Output output) {
    try (ProgressLine line = new ProgressLine(output.err(), main().shell());
        UploadSource source = UploadSource.open(file)) {
      VolumeFormat holds = format(source);
      UploadLoop.Names names = new UploadLoop.Names(repo, image, file.toString());
      Answer answer = new UploadLoop(api, names, source, holds, force, line).run();
      line.clear();
      output.print(answer, () -> text(answer, holds));
      return Exit.DONE;
    } catch (NoSuchFileException e) {
      throw StorageException.invalid(
          file.toString(), "there is no file " + file, "Name the file to upload.");
    } catch (IOException e) {
      throw StorageException.invalid(
          file.toString(),
          file + " cannot be read: " + e.getMessage(),
          "Remove the cause and run the command again; it goes on where it was.");
    }
  }

  private VolumeFormat format(UploadSource source) {
    if (format != null) {
      return VolumeFormat.of(format.name());
    }
    FileMagic magic = source.magic();
    FileMagic named = FileMagic.named(file.toString());
    if (named != null && !named.sharesNameWith(magic)) {
      throw StorageException.invalid(
          file.toString(),
          "%s is %s, although its name says %s".formatted(file, magic.text(), named.text()),
          "Rename the file, or name its format with --format.");
    }
    return switch (magic) {
      case QCOW2 -> VolumeFormat.QCOW2;
      case NONE -> VolumeFormat.RAW;
      default ->
          throw StorageException.invalid(
              file.toString(),
              "%s is %s, which no machine can read as a disk".formatted(file, magic.text()),
              "Convert the file with qemu-img convert -O qcow2, or unpack it; give --format raw to"
                  + " store its bytes as they are.");
    };
  }

  private static String text(Answer answer, VolumeFormat format) {
    String form =
        format == VolumeFormat.RAW
            ? "%s  %s, of which %s were sent, SHA-256 of the disk %s"
            : "%s  %s, from a qcow2 file of which %s were sent, SHA-256 of the file %s";
    return form.formatted(
        answer.imageId(),
        Units.bytes(answer.diskSize()),
        Units.bytes(answer.sent()),
        answer.sha256());
  }
}
