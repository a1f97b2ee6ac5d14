package io.quarry.agent.cli;

import io.quarry.common.model.Progress;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;

/** Shows progress: as a bar on a terminal, elsewhere as a line when something changes. */
public final class ProgressLine implements AutoCloseable {
  private static final String CLEAR = "\r\u001b[K";

  /** Makes a narrow terminal cut the line off, since a wrapped line could not be cleared again. */
  private static final String NO_WRAP = "\u001b[?7l";

  private static final String WRAP = "\u001b[?7h";

  private final PrintWriter err;
  private final Shell shell;
  private final @Nullable GoesOn goesOn;
  private Rate rate = new Rate();
  private String doing = "";
  private String last = "";
  private boolean drawn;

  ProgressLine(PrintWriter err, Shell shell) {
    this.err = err;
    this.shell = shell;
    this.goesOn = null;
  }

  /**
   * @param watch the command that continues to watch after Ctrl-C
   */
  ProgressLine(PrintWriter err, Shell shell, String watch) {
    this.err = err;
    this.shell = shell;
    this.goesOn = new GoesOn(err, GoesOn.text(watch));
  }

  /**
   * @param headline what is happening, in a few words
   */
  public void show(String headline, @Nullable Progress progress) {
    if (progress != null) {
      rate.add(shell.time().nanos(), progress.bytesDone());
    }
    if (shell.terminal()) {
      draw(headline + (progress == null ? "" : "  " + Bar.draw(progress, rate)));
    } else {
      change(progress == null ? headline : headline + "  " + stage(progress));
    }
  }

  /** Shows the progress of this command's own work. */
  void advance(String headline, Done done) {
    if (!headline.equals(doing)) {
      doing = headline;
      rate = new Rate();
    }
    rate.add(shell.time().nanos(), done.bytes());
    if (shell.terminal()) {
      draw(headline + "  " + Bar.draw(done, rate));
    } else {
      change(headline);
    }
  }

  private void draw(String line) {
    err.print(CLEAR + NO_WRAP + line + WRAP);
    err.flush();
    drawn = true;
  }

  /** Prints the text when the command is interrupted before this line is closed. */
  GoesOn onInterrupt(String text) {
    return new GoesOn(err, text);
  }

  /** Prints a line that stays. */
  public void say(String line) {
    clear();
    err.println(line);
    err.flush();
  }

  @Override
  public void close() {
    if (goesOn != null) {
      goesOn.close();
    }
    clear();
  }

  void clear() {
    if (drawn) {
      err.print(CLEAR);
      err.flush();
      drawn = false;
    }
  }

  private void change(String line) {
    if (!line.equals(last)) {
      err.println(line);
      err.flush();
      last = line;
    }
  }

  private static String stage(Progress progress) {
    return "%s %s on %s".formatted(progress.stage(), progress.stageName(), progress.hostId());
  }
}
