import com.google.googlejavaformat.java.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Runs google-java-format over every Java source of the project. The build starts it with `check`,
 * which names the files that differ and fails; `./verify format` with `write`, which rewrites them.
 */
final class Format {
  private static final List<String> PLACES =
      List.of(
          ".ci",
          "common/src",
          "coordinator/src",
          "agent/data/src",
          "agent/storage/src",
          "agent/server/src",
          "agent/node/src",
          "agent/cli/src",
          "agent/lab/src",
          "it/src");

  private Format() {}

  public static void main(String[] arguments) throws Exception {
    boolean write = arguments.length > 0 && arguments[0].equals("write");
    List<String> options = new ArrayList<>();
    if (write) {
      options.add("--replace");
    } else {
      options.addAll(List.of("--dry-run", "--set-exit-if-changed"));
    }
    options.addAll(sources());

    PrintWriter out = new PrintWriter(System.out, true);
    PrintWriter err = new PrintWriter(System.err, true);
    int exit = new Main(out, err, System.in).format(options.toArray(String[]::new));
    out.flush();
    err.flush();
    if (exit != 0 && !write) {
      System.err.println("The files above are not formatted. Run ./verify format.");
    }
    System.exit(exit);
  }

  private static List<String> sources() throws IOException {
    List<String> found = new ArrayList<>();
    for (String place : PLACES) {
      Path root = Path.of(place);
      if (Files.isDirectory(root)) {
        try (Stream<Path> files = Files.walk(root)) {
          files
              .map(Path::toString)
              .filter(name -> name.endsWith(".java"))
              .sorted()
              .forEach(found::add);
        }
      }
    }
    return found;
  }
}
