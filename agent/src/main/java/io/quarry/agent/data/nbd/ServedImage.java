package io.quarry.agent.data.nbd;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.Json;
import io.quarry.common.model.VolumeFormat;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * An image and how qemu-nbd opens it.
 *
 * @param backing whether the images below it are opened too; without them their parts read as holes
 * @param clients how many connections it takes at the same time
 */
public record ServedImage(
    Path file,
    VolumeFormat format,
    boolean writable,
    boolean backing,
    Cache cache,
    Aio aio,
    int clients) {
  /** How the server uses the page cache of the host. */
  public enum Cache {
    NONE("none"),
    WRITEBACK("writeback");

    private final String label;

    Cache(String label) {
      this.label = label;
    }
  }

  /** How the server does its input and output. */
  public enum Aio {
    THREADS("threads"),
    IO_URING("io_uring");

    private final String label;

    Aio(String label) {
      this.label = label;
    }
  }

  public ServedImage {
    if (clients < 1) {
      throw new IllegalArgumentException(clients + " clients");
    }
  }

  /** For copying: through the page cache, since an image that is copied was often just written. */
  public static ServedImage readOnly(Path file, VolumeFormat format) {
    return new ServedImage(file, format, false, true, Cache.WRITEBACK, Aio.THREADS, 1);
  }

  /** For changing an image; around the page cache a flush is ten times cheaper. */
  public static ServedImage writable(Path file, VolumeFormat format) {
    return new ServedImage(file, format, true, true, Cache.NONE, Aio.IO_URING, 1);
  }

  public ServedImage withoutBacking() {
    return new ServedImage(file, format, writable, false, cache, aio, clients);
  }

  public ServedImage with(Cache newCache, Aio newAio) {
    return new ServedImage(file, format, writable, backing, newCache, newAio, clients);
  }

  public ServedImage withClients(int newClients) {
    return new ServedImage(file, format, writable, backing, cache, aio, newClients);
  }

  List<String> command(Path socket) {
    List<String> words = new ArrayList<>();
    words.addAll(List.of("qemu-nbd", "--socket=" + socket, "--shared=" + clients));
    words.addAll(List.of("--cache=" + cache.label, "--aio=" + aio.label));
    words.addAll(List.of("--allocation-depth", "--discard=unmap"));
    if (!writable) {
      words.add("--read-only");
    }
    if (backing || format != VolumeFormat.QCOW2) {
      words.addAll(List.of("--format=" + format.label(), file.toAbsolutePath().toString()));
    } else {
      words.add("json:" + withoutBackingJson());
    }
    return words;
  }

  private String withoutBackingJson() {
    ObjectNode image = Json.MAPPER.createObjectNode();
    image.put("driver", format.label()).putNull("backing");
    image.putObject("file").put("driver", "file").put("filename", file.toAbsolutePath().toString());
    return image.toString();
  }
}
