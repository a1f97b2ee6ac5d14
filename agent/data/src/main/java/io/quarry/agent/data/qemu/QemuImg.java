package io.quarry.agent.data.qemu;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.ToolLimits;
import io.quarry.agent.data.process.ToolOutput;
import io.quarry.common.api.Json;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The {@code qemu-img} tool. The caller always names the format: a guest can write a qcow2 header
 * into its raw disk. That header could name any file of the host as a backing file.
 */
public final class QemuImg {
  /** For commands that only read or write headers. */
  private static final Duration HEADER_DEADLINE = Duration.ofSeconds(60);

  /** For commands that read all metadata. */
  private static final Duration METADATA_DEADLINE = Duration.ofMinutes(30);

  /** For commands that read all data. */
  private static final Duration DATA_DEADLINE = Duration.ofHours(24);

  private static final int EXIT_COMPARE_DIFFERENT = 1;
  private static final int EXIT_CHECK_CORRUPT = 2;
  private static final int EXIT_CHECK_LEAKS = 3;

  private final Children children;
  private final List<String> prefix;

  public QemuImg(Children children) {
    this(children, List.of());
  }

  private QemuImg(Children children, List<String> prefix) {
    this.children = children;
    this.prefix = prefix;
  }

  /** For commands that look at images from outside. */
  public QemuImg limited(ToolLimits limits) {
    return new QemuImg(children, limits.prefix());
  }

  /** Looks at an image, also at one that is in use. */
  public ImageFile info(Path file, VolumeFormat format) throws IOException, InterruptedException {
    List<String> words =
        command("info", "-U", "--output=json", "-f", format.label(), file.toString());
    return ImageFile.of(json(children.run(words, HEADER_DEADLINE).orFail()));
  }

  /** Checks the metadata of a qcow2 image; defects are an answer and not a failure. */
  public ImageCheck check(Chain.Layer file) throws IOException, InterruptedException {
    return check(file, METADATA_DEADLINE);
  }

  /** The same check, for a caller that limits the time. */
  public ImageCheck check(Chain.Layer file, Duration within)
      throws IOException, InterruptedException {
    return check(command("check", "-U", "--output=json", alone(file, true)), within);
  }

  /** Frees clusters without a reference, as a killed writer leaves them. */
  public ImageCheck repairLeaks(Chain.Layer file) throws IOException, InterruptedException {
    return check(
        command("check", "--output=json", "-r", "leaks", alone(file, false)), METADATA_DEADLINE);
  }

  /** The same for an image that other processes may be reading. */
  public ImageCheck repairLeaksShared(Chain.Layer file) throws IOException, InterruptedException {
    String name = new Chain(List.of(file)).sharedName();
    return check(command("check", "--output=json", "-r", "leaks", name), METADATA_DEADLINE);
  }

  /** Makes an image larger that other processes may be reading. */
  public void grow(Chain.Layer layer, long size) throws IOException, InterruptedException {
    String name = new Chain(List.of(layer)).sharedName();
    children.run(command("resize", "-q", name, Long.toString(size)), HEADER_DEADLINE).orFail();
  }

  /**
   * A name for a qcow2 file without its backing file, which does not matter here and may be gone.
   */
  private static String alone(Chain.Layer qcow2, boolean readOnly) {
    return new Chain(List.of(qcow2)).name(readOnly);
  }

  private ImageCheck check(List<String> command, Duration within)
      throws IOException, InterruptedException {
    ToolOutput output = children.run(command, within);
    switch (output.exitCode()) {
      case 0, EXIT_CHECK_CORRUPT, EXIT_CHECK_LEAKS -> {}
      default -> throw output.failure("exit code " + output.exitCode());
    }
    JsonNode report = json(output);
    return new ImageCheck(report.path("leaks").asLong(), report.path("corruptions").asLong());
  }

  /** Whether both images have the same content; the longer one may continue with zeros. */
  public boolean compare(Chain a, Chain b) throws IOException, InterruptedException {
    List<String> command = command("compare", a.name(true), b.name(true));
    ToolOutput output = children.run(command, DATA_DEADLINE);
    return output.exitCode() != EXIT_COMPARE_DIFFERENT && output.orFail().exitCode() == 0;
  }

  /** Creates an image without data, replacing a file of that name. */
  public void create(Path file, VolumeFormat format, long size)
      throws IOException, InterruptedException {
    List<String> words = command("create", "-q", "-f", format.label());
    if (format == VolumeFormat.QCOW2) {
      words.addAll(List.of("-o", "compat=1.1,lazy_refcounts=off"));
    }
    words.addAll(List.of(file.toString(), Long.toString(size)));
    children.run(words, HEADER_DEADLINE).orFail();
  }

  /** Creates a qcow2 overlay, replacing a file of that name. */
  public void createOverlay(Path file, Backing backing, long size)
      throws IOException, InterruptedException {
    List<String> words =
        command("create", "-q", "-f", "qcow2", "-o", "compat=1.1,lazy_refcounts=off");
    words.addAll(List.of("-b", backing.name(), "-F", backing.format().label()));
    words.addAll(List.of(file.toString(), Long.toString(size)));
    children.run(words, HEADER_DEADLINE).orFail();
  }

  /**
   * Changes the name of the backing file, or removes the name; the new base must have the same
   * content.
   */
  public void changeBacking(Path file, Optional<Backing> backing)
      throws IOException, InterruptedException {
    List<String> words = command("rebase", "-u", "-f", "qcow2");
    words.addAll(List.of("-b", backing.map(Backing::name).orElse("")));
    backing.ifPresent(base -> words.addAll(List.of("-F", base.format().label())));
    words.add(file.toString());
    children.run(words, HEADER_DEADLINE).orFail();
  }

  /** The image and the images below it, top first, as the files themselves name them. */
  public List<ChainLink> chain(Path file, VolumeFormat format)
      throws IOException, InterruptedException {
    List<String> command =
        command(
            "info",
            "-U",
            "--backing-chain",
            "--output=json",
            "-f",
            format.label(),
            file.toString());
    List<ChainLink> links = new ArrayList<>();
    json(children.run(command, HEADER_DEADLINE).orFail())
        .forEach(info -> links.add(ChainLink.of(info)));
    return List.copyOf(links);
  }

  /** The places that hold the content of a range, through the whole chain. */
  public List<MapEntry> map(Chain chain, long offset, long length)
      throws IOException, InterruptedException {
    List<String> command =
        command(
            "map",
            "--output=json",
            "--start-offset=" + offset,
            "--max-length=" + length,
            chain.name(true));
    ToolOutput output = children.run(command, METADATA_DEADLINE).orFail();
    try (JsonParser json = Json.MAPPER.createParser(output.stdout())) {
      return MapEntry.read(json);
    } catch (JsonProcessingException e) {
      throw output.failure("no map in the output: " + e.getOriginalMessage());
    }
  }

  private List<String> command(String... words) {
    List<String> command = new ArrayList<>(prefix);
    command.add("qemu-img");
    command.addAll(List.of(words));
    return command;
  }

  private static JsonNode json(ToolOutput output) throws IOException {
    try {
      return Json.MAPPER.readTree(output.stdout());
    } catch (JsonProcessingException e) {
      throw output.failure("no JSON in the output: " + e.getOriginalMessage());
    }
  }
}
